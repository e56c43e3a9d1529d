import { expect, test } from 'vitest';
import { decideAuthority, decideCertificate, nextLookMs, servingNames } from './serving-certificate.ts';

const DAY = 24 * 60 * 60 * 1000;
const NOW = Date.UTC(2026, 10, 21);
const left = (days: number) => ({ notBefore: NOW - DAY, notAfter: NOW + days * DAY });

test('what is missing, expired or of the future is made anew; what is near its end is renewed', () => {
  expect(decideCertificate(NOW, undefined)).toBe('make');
  expect(decideCertificate(NOW, left(0))).toBe('make');
  expect(decideCertificate(NOW, { notBefore: NOW + 1, notAfter: NOW + 90 * DAY })).toBe('make');
  expect(decideCertificate(NOW, left(30))).toBe('renew');
  expect(decideCertificate(NOW, left(31))).toBe('keep');
  expect(decideAuthority(NOW, left(731))).toBe('keep');
  expect(decideAuthority(NOW, left(730))).toBe('renew');
  expect(decideAuthority(NOW, undefined)).toBe('make');
});

test('the next look is when the first of the two is due, and never later than in half a day', () => {
  expect(nextLookMs(NOW, left(3650), left(90))).toBe(DAY / 2);
  expect(nextLookMs(NOW, left(3650), left(30.25))).toBe(DAY / 4);
  expect(nextLookMs(NOW, left(730.25), left(90))).toBe(DAY / 4);
  expect(nextLookMs(NOW, left(700), left(90))).toBe(0);
});

test('the API server finds the name that it asks for', () => {
  expect(servingNames('holdfast-system')).toContain('holdfast-scheduling.holdfast-system.svc');
});
