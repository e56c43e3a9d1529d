/** Label and field selectors, as kubectl -l and --field-selector write them. */
import { AppError } from '../../domain/errors.ts';
import { isRecord, type KubeObject } from './kube-object.ts';

/** A parsed selector. */
export interface Selector {
  matches(object: KubeObject): boolean;
  /** Field requirements that must be equal, for the store's hint and for single-object lists. */
  readonly equals: ReadonlyMap<string, string>;
  /** Nothing was asked for: everything matches. */
  readonly isEmpty: boolean;
}

type Requirement = (object: KubeObject) => boolean;

const LABEL_KEY = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const FIELD_PATH = /^[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z][A-Za-z0-9]*)*$/;
const SET_TERM = /^(?<key>\S+)\s+(?<operator>in|notin)\s*\((?<values>[^()]*)\)$/;
const EQUALITY_TERM = /^(?<key>[^=!\s]+)\s*(?<operator>==|=|!=)\s*(?<value>[^=!\s]*)$/;
const FIELD_TERM = /^(?<path>[^=!]+?)(?<operator>==|!=|=)(?<value>.*)$/s;

/** True when the text may be a label's key (prefix/name). */
export function isLabelKey(text: string): boolean {
  return LABEL_KEY.test(text);
}

/** True when the text may be a label's value. */
export function isLabelValue(text: string): boolean {
  return LABEL_VALUE.test(text);
}

/**
 * Parses both selectors of a request; a missing or empty one asks for nothing.
 *
 * @throws {AppError} invalid with reason BadRequest, naming the faulty term
 */
export function parseSelectors(labelSelector: string | undefined, fieldSelector: string | undefined): Selector {
  const equals = new Map<string, string>();
  const requirements: Requirement[] = [
    ...splitTerms(labelSelector ?? '').map(parseLabelTerm),
    ...splitFields(fieldSelector ?? '').map((term) => parseFieldTerm(term, equals)),
  ];
  return {
    matches: (object) => requirements.every((holds) => holds(object)),
    equals,
    isEmpty: requirements.length === 0,
  };
}

function faulty(what: string, term: string, message: string): AppError {
  return new AppError('invalid', `unable to parse ${what} selector at ${JSON.stringify(term)}: ${message}`, {
    reason: 'BadRequest',
  });
}

/** Splits at commas outside parentheses. */
function splitTerms(text: string): string[] {
  if (text.trim() === '') return [];
  return text.split(/,(?![^(]*\))/).map((term) => term.trim());
}

function parseLabelTerm(term: string): Requirement {
  const set = SET_TERM.exec(term)?.groups;
  const equality = EQUALITY_TERM.exec(term)?.groups;
  const key = (set ?? equality)?.['key'] ?? term.replace(/^!\s*/, '');
  if (!isLabelKey(key)) throw faulty('label', term, 'expected key, !key, key=value, key!=value or key in (a,b)');
  if (set !== undefined)
    return valueRequirement(term, key, set['operator'] === 'notin', set['values']?.split(',') ?? []);
  if (equality !== undefined)
    return valueRequirement(term, key, equality['operator'] === '!=', [equality['value'] ?? '']);
  const isAbsent = term.startsWith('!');
  return (object) => (ownLabel(object, key) === undefined) === isAbsent;
}

function valueRequirement(term: string, key: string, isNegated: boolean, given: readonly string[]): Requirement {
  const values = given.map((value) => value.trim());
  const wrong = values.find((value) => !isLabelValue(value));
  if (wrong !== undefined) throw faulty('label', term, `${JSON.stringify(wrong)} cannot be the value of a label`);
  // As in Kubernetes, != and notin also match objects without the label.
  return (object) => {
    const value = ownLabel(object, key);
    return (value !== undefined && values.includes(value)) !== isNegated;
  };
}

function ownLabel(object: KubeObject, key: string): string | undefined {
  const labels = object.metadata.labels;
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** Splits at commas that are not escaped by a backslash. */
function splitFields(text: string): string[] {
  if (text.trim() === '') return [];
  return text.match(/(?:\\.|[^\\,])+/gs) ?? [];
}

function parseFieldTerm(term: string, equals: Map<string, string>): Requirement {
  const groups = FIELD_TERM.exec(term)?.groups;
  const path = groups?.['path']?.trim() ?? '';
  if (groups === undefined || !FIELD_PATH.test(path)) {
    throw faulty('field', term, 'expected path=value or path!=value, such as spec.node=kube1');
  }
  const wanted = (groups['value'] ?? '').replaceAll(/\\(.)/gs, '$1');
  const isNegated = groups['operator'] === '!=';
  if (!isNegated) equals.set(path, wanted);
  const segments = path.split('.');
  return (object) => (fieldText(object, segments) === wanted) !== isNegated;
}

/** The field as text; a missing field, and anything that is not a plain value, counts as empty. */
function fieldText(object: KubeObject, segments: readonly string[]): string {
  let value: unknown = object;
  for (const segment of segments) {
    if (!isRecord(value) || !Object.hasOwn(value, segment)) return '';
    value = value[segment];
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
