import { describe, expect, it } from 'vitest';
import { refusalOption, refusedAddresses } from './refusal.ts';

const option = (found: string | undefined, refused: readonly string[], known = ['10.0.0.2', '10.0.0.3']) =>
  refusalOption({ refusal: { refused, known } }, found === undefined ? {} : { 'auth.reject': found });

describe('what a volume refuses', () => {
  it('is left as it is where nobody is fenced', () => {
    expect(refusalOption({}, { 'auth.reject': '10.0.0.3' })).toBeUndefined();
  });

  it('is set, changed and taken away', () => {
    expect(option(undefined, ['10.0.0.3'])).toBe('10.0.0.3');
    expect(option('10.0.0.3', ['10.0.0.3'])).toBeUndefined();
    expect(option('10.0.0.3', ['10.0.0.3', '10.0.0.2'])).toBe('10.0.0.2,10.0.0.3');
    expect(option('10.0.0.2,10.0.0.3', ['10.0.0.2'])).toBe('10.0.0.2');
    expect(option('10.0.0.3', [])).toBe('none');
    expect(option(undefined, [])).toBeUndefined();
  });

  it('keeps what somebody else has it refuse', () => {
    expect(option('192.0.2.7, 10.0.0.3', [])).toBe('192.0.2.7');
    expect(option('192.0.2.7', ['10.0.0.3'])).toBe('10.0.0.3,192.0.2.7');
    expect(refusedAddresses({ 'auth.reject': ' b,a ,' })).toEqual(['a', 'b']);
  });
});
