/**
 * Puts the lines of a manifest where their fields belong, where their indentation says something else. A line goes where YAML
 * puts it if there is such a field; else to the one open place that has it; else below the one field that is missing between.
 * Where two places would do nothing is guessed: the lines are left as they are, and said so.
 */
import { ANY, innerFieldsOf, type Shape, shapeOfField } from './field-table.ts';
import type { OutlineLine } from './outline.ts';

/** One field, item or value, with what is below it. */
export interface Entry {
  /** As written; undefined for an item of a list. */
  readonly key?: string;
  readonly shape: Shape;
  value: string;
  readonly below: Entry[];
  /** What `below` is: fields of a map, or items of a list. */
  form: 'none' | 'map' | 'list';
  readonly line: OutlineLine;
}

/** What had to be moved. */
export interface Move {
  readonly line: OutlineLine;
  readonly message: string;
  readonly fix: string;
  readonly rule: 'indentation' | 'missing-field' | 'wrapped-line' | 'missing-space';
}

export type Arranged =
  | { readonly ok: true; readonly top: Entry; readonly moves: readonly Move[] }
  | { readonly ok: false; readonly line: OutlineLine; readonly message: string };

/** An entry that lines can still be put below. */
interface Open {
  readonly entry: Entry;
  /** Column of its own key or dash; -1 for the top. */
  readonly column: number;
  /** Columns of what is below it. */
  readonly columns: Set<number>;
  /** As its fields are called in messages. */
  readonly name: string;
}

/** What the top of an object is called. */
const TOP = 'the object';

interface Arranging {
  readonly open: Open[];
  readonly moves: Move[];
}

/** Thrown inside, told as a value. */
class Unplaced extends Error {
  readonly line: OutlineLine;

  constructor(line: OutlineLine, message: string) {
    super(message);
    this.line = line;
  }
}

/** Arranges the lines of one document. @param shape - of its kind */
export function arrange(lines: readonly OutlineLine[], shape: Shape): Arranged {
  const [first] = lines;
  if (first === undefined) throw new RangeError('there are no lines to arrange');
  const top: Entry = { shape, value: '', below: [], form: 'none', line: first };
  const state: Arranging = { open: [{ entry: top, column: -1, columns: new Set(), name: TOP }], moves: [] };
  try {
    for (const line of lines) placeLine(state, line);
  } catch (error) {
    if (error instanceof Unplaced) return { ok: false, line: error.line, message: error.message };
    throw error;
  }
  return { ok: true, top, moves: state.moves };
}

function placeLine(state: Arranging, given: OutlineLine): void {
  const line = given.isTight && !isTightField(state, given) ? asValue(given) : given;
  const [dash] = line.dashes;
  if (dash !== undefined) return placeItem(state, line, dash);
  if (line.key === undefined) return placeContinuation(state, line);
  placeField(state, line, line.key);
}

/** "name:data" is a field without its space only where such a field can be; elsewhere it is a value, as 8080:80 is. */
function isTightField({ open }: Arranging, { key = '', dashes }: OutlineLine): boolean {
  const shapes = open.map(({ entry }) => entry.shape);
  const around = dashes.length === 0 ? shapes : shapes.flatMap((shape) => (shape.is === 'list' ? [shape.of] : []));
  return around.some((shape) => shape.is === 'fields' && shapeOfField(shape, key) !== undefined);
}

function asValue({ key = '', ...line }: OutlineLine): OutlineLine {
  return { ...line, value: `${key}:${line.value}`, isTight: false };
}

/** A line without key or dash goes on with the value before it. */
function placeContinuation(state: Arranging, line: OutlineLine): void {
  const last = state.open.at(-1);
  if (last === undefined || last.entry.form !== 'none' || last.entry.line.block.length > 0) {
    throw new Unplaced(line, 'the line is neither a field nor an item of a list');
  }
  const isMeant = line.column > last.column;
  if (!isMeant) {
    const fix = 'write the value on one line, or indent what goes on with it';
    state.moves.push({
      line,
      message: 'the line goes on with the value before it, but is not indented',
      fix,
      rule: 'wrapped-line',
    });
  }
  last.entry.value = `${last.entry.value} ${line.value}`.trim();
}

function placeField(state: Arranging, line: OutlineLine, key: string): void {
  if (line.isTight) {
    const fix = `write "${key}: ${line.value}"`;
    state.moves.push({ line, message: `no space stands after "${key}:"`, fix, rule: 'missing-space' });
  }
  const name = plainKey(key);
  const meant = [...state.open].reverse().find((each) => isAt(each, line.column) && takes(each, name));
  if (meant !== undefined) return addField(state, meant, line);
  const others = state.open.filter((each) => each.entry.shape.is === 'fields' && takes(each, name));
  const [only] = others;
  if (only !== undefined && others.length === 1) {
    const among = [...state.open].reverse().find((each) => each !== only && isAt(each, line.column));
    const place =
      among === undefined ? `in column ${line.column + 1}, where no field can` : `among the fields of ${among.name}`;
    state.moves.push({
      ...{ line, rule: 'indentation' },
      message: `${name} stands ${place}, and is one of ${only.name}`,
      fix: `indent it like the other fields of ${only.name}`,
    });
    return addField(state, only, line);
  }
  if (others.length > 1) {
    const places = others.map((each) => each.name).join(' or ');
    throw new Unplaced(
      line,
      `${name} is indented wrongly, and can belong to ${places}; indent it as the other fields there`,
    );
  }
  insertBetween(state, line, name);
}

/** The field stands below one that was left out. */
function insertBetween(state: Arranging, line: OutlineLine, name: string): void {
  const ways = state.open.flatMap((each) =>
    innerFieldsOf(each.entry.shape)
      .filter(([field, inner]) => takes(each, field) && shapeOfField(inner, name) !== undefined)
      .map(([field, shape]) => ({ each, field, shape })),
  );
  const [way] = ways;
  if (way !== undefined && ways.length === 1) {
    const { each, field, shape } = way;
    state.moves.push({
      ...{ line, rule: 'missing-field' },
      message: `${name} is no field of ${each.name}: it is one of ${field}, which is missing`,
      fix: `write "${field}:" above it, and indent it below that`,
    });
    closeBelow(state, each);
    const entry: Entry = { key: field, shape, value: '', below: [], form: 'none', line: { ...line, comments: [] } };
    add(each, entry, line.column);
    const opened = { entry, column: line.column - 1, columns: new Set<number>(), name: nameBelow(each, field) };
    state.open.push(opened);
    return addField(state, opened, line);
  }
  const strict = [...state.open].reverse().find((each) => isAt(each, line.column) && each.entry.form !== 'list');
  if (strict === undefined)
    throw new Unplaced(line, `${name} is indented by ${line.column}, and nothing before it has that place`);
  // A field that is not known anywhere stays where it is; that is told of the fields.
  addField(state, strict, line);
}

/** Whether YAML puts a line of this column below the entry. */
function isAt({ entry, column, columns }: Open, at: number): boolean {
  if (entry.form === 'list' || entry.shape.is === 'list') return false;
  if (columns.size > 0) return columns.has(at);
  return entry.value === '' && at > column;
}

/** Whether the entry can have a field of that name, and has none yet. */
function takes({ entry }: Open, name: string): boolean {
  if (entry.form === 'list' || (entry.value !== '' && entry.form === 'none')) return false;
  const has = entry.below.some((each) => each.key !== undefined && plainKey(each.key) === name);
  return !has && shapeOfField(entry.shape, name) !== undefined;
}

function addField(state: Arranging, to: Open, line: OutlineLine): void {
  const name = plainKey(line.key ?? '');
  closeBelow(state, to);
  const shape = shapeOfField(to.entry.shape, name) ?? ANY;
  const entry: Entry = { key: line.key ?? '', shape, value: line.value, below: [], form: 'none', line };
  to.entry.form = 'map';
  add(to, entry, state.open.some((each) => each !== to && each.columns.has(line.column)) ? undefined : line.column);
  state.open.push({ entry, column: line.column, columns: new Set(), name: nameBelow(to, name) });
}

/** As people write it: spec.template. */
function nameBelow({ entry, name }: Open, field: string): string {
  const isTop = entry.key === undefined && name === TOP;
  return isTop ? field : `${name}.${field}`;
}

function placeItem(state: Arranging, line: OutlineLine, dash: number): void {
  const lists = state.open.filter(
    ({ entry }) => entry.form === 'list' || (entry.form === 'none' && entry.value === ''),
  );
  const fitting = lists.filter(({ entry }) => takesItem(entry, line));
  const meant = [...fitting]
    .reverse()
    .find(({ column, columns }) => (columns.size > 0 ? columns.has(dash) : dash >= column));
  const to = meant ?? (fitting.length === 1 ? fitting[0] : undefined);
  if (to === undefined)
    throw new Unplaced(line, 'the item belongs to no list that can be told; indent it as the items before it');
  if (meant === undefined) {
    const message = `an item of ${to.name} is indented by ${dash}, and the items before it otherwise`;
    state.moves.push({ line, message, fix: 'indent it as those', rule: 'indentation' });
  }
  closeBelow(state, to);
  to.entry.form = 'list';
  const shape = to.entry.shape.is === 'list' ? to.entry.shape.of : ANY;
  const hasFields = line.key !== undefined || line.dashes.length > 1;
  const entry: Entry = { shape, value: hasFields ? '' : line.value, below: [], form: 'none', line };
  add(to, entry, dash);
  const item = { entry, column: dash, columns: new Set<number>(), name: `${to.name}[${to.entry.below.length - 1}]` };
  state.open.push(item);
  if (!hasFields) return;
  const rest = { ...line, dashes: line.dashes.slice(1), comments: [] };
  if (line.dashes.length > 1) placeItem(state, rest, rest.dashes[0] ?? dash);
  else addField(state, item, rest);
}

/** Whether the list can have such an item: a value, or one with this field. */
function takesItem({ shape }: Entry, { key, dashes }: OutlineLine): boolean {
  if (shape.is === 'any') return true;
  if (shape.is !== 'list') return false;
  if (key === undefined || dashes.length > 1) return true;
  return shapeOfField(shape.of, plainKey(key)) !== undefined;
}

function add(to: Open, entry: Entry, column: number | undefined): void {
  to.entry.below.push(entry);
  if (entry.key !== undefined) to.entry.form = 'map';
  if (column !== undefined) to.columns.add(column);
}

function closeBelow(state: Arranging, to: Open): void {
  state.open.splice(state.open.indexOf(to) + 1);
}

/** A key without its quotes. */
export function plainKey(key: string): string {
  return key.replace(/^(["'])(.*)\1$/, '$2');
}
