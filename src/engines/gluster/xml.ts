/** The one file that knows the XML library: text from the gluster program to a small, safe tree. */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { AppError, messageOf } from '../../domain/errors.ts';

/** An element of an answer. Names are exact; what is missing is undefined, never an exception. */
export interface XmlElement {
  /** The element's own text, trimmed; "" when it has none. */
  readonly text: string;
  attribute(name: string): string | undefined;
  child(name: string): XmlElement | undefined;
  children(name: string): readonly XmlElement[];
}

/** Larger answers are refused: `volume info` of 1,000 bricks is 0.3 MB, so this is a fault or an attack. */
export const MAX_XML_CHARACTERS = 4 * 1024 * 1024;

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  ignoreDeclaration: true,
  // Entities are decoded below: the five of XML and character numbers only, so nothing can expand.
  processEntities: false,
  maxNestedTags: 32,
  isArray: (_name, _path, _isLeaf, isAttribute) => !isAttribute,
});

/**
 * Reads the answer of one gluster command.
 *
 * @param command - for the error message: what was asked ("gluster volume info gv0")
 * @returns the root element, whatever its name
 * @throws {AppError} internal, naming the command, when the text is too large, not well-formed or declares entities
 */
export function parseXml(text: string, command: string): XmlElement {
  const refuse = (why: string, cause?: unknown): AppError =>
    new AppError('internal', `the answer of "${command}" is no usable XML: ${why}`, {
      reason: 'MalformedAnswer',
      hint: 'run the command by hand on the node; if it was cut short, look for a full disk or a crash of gluster',
      cause,
    });
  if (text.length > MAX_XML_CHARACTERS) throw refuse(`${text.length} characters, more than ${MAX_XML_CHARACTERS}`);
  if (text.trim() === '') throw refuse('it is empty');
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) throw refuse('it declares a document type');
  const verdict = XMLValidator.validate(text);
  if (verdict !== true) throw refuse(`${verdict.err.msg} (line ${verdict.err.line})`);

  let tree: unknown;
  try {
    tree = parser.parse(text);
  } catch (error) {
    throw refuse(messageOf(error), error);
  }
  const roots = isRecord(tree) ? Object.values(tree).filter(Array.isArray) : [];
  const root = roots[0];
  if (roots.length !== 1 || root?.length !== 1) throw refuse('it has more than one root element');
  return element(root[0]);
}

function element(node: unknown): XmlElement {
  const fields = isRecord(node) ? node : {};
  const all = (key: string): readonly unknown[] => {
    if (!Object.hasOwn(fields, key)) return [];
    const value = fields[key];
    return Array.isArray(value) ? value : [value];
  };
  const children = (name: string) => all(name).map(element);
  const [own] = isRecord(node) ? all('#text') : [node];
  return {
    text: typeof own === 'string' ? decode(own) : '',
    attribute: (name) => {
      const [value] = all(`@${name}`);
      return typeof value === 'string' ? decode(value) : undefined;
    },
    child: (name) => children(name)[0],
    children,
  };
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
