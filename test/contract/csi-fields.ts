/** Every field of every request of CSI, read from its definition, and requests put together from that: also such as no client would send. */
import { readFileSync } from 'node:fs';
import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** What goes into a string on the wire: bytes where it is to be no text. */
export type Text = string | Uint8Array;
export type Value = Text | number | bigint | boolean | readonly (readonly [Text, Text])[] | Message | readonly Value[];
export interface Message {
  readonly [field: string]: Value;
}

interface FieldDefinition {
  readonly name: string;
  readonly number: number;
  /** "string", "int64", "map", or the full name of a message or enum. */
  readonly type: string;
  readonly isRepeated: boolean;
}

/** One place in a request where a value can be. */
export interface FieldPlace {
  /** From the request on: "volume_capabilities.mount.fs_type". */
  readonly path: readonly string[];
  /** "CreateVolumeRequest.name", "VolumeCapability.MountVolume.fs_type". */
  readonly key: string;
}

export interface MethodDefinition {
  readonly service: string;
  readonly name: string;
  readonly request: string;
  readonly isStream: boolean;
}

export interface CsiDefinition {
  readonly methods: readonly MethodDefinition[];
  /** Every place of a request, those of its parts too. */
  placesOf(request: string): readonly FieldPlace[];
  /** The request as it goes over the wire. */
  encode(request: string, message: Message): Uint8Array;
}

const TOKEN = /\/\/[^\n]*|"[^"]*"|[A-Za-z_.][\w.]*|-?\d+|[{}()<>=;,[\]]/g;

/** Reads the definition that the messages in src/gen are generated from. */
export function readCsiDefinition(): CsiDefinition {
  const text = readFileSync(new URL('../../tools/codegen/proto/csi/csi.proto', import.meta.url), 'utf8');
  const { messages, methods } = parse(
    [...text.matchAll(TOKEN)].map(([token]) => token).filter((t) => !t.startsWith('//')),
  );
  const fieldsOf = (message: string): readonly FieldDefinition[] => {
    const found = messages.get(message);
    if (found === undefined) throw new Error(`csi.proto has no message ${message}`);
    return found;
  };
  const resolve = (type: string, from: string): string | undefined => {
    for (let scope = from; ; scope = scope.includes('.') ? scope.slice(0, scope.lastIndexOf('.')) : '') {
      const full = scope === '' ? type : `${scope}.${type}`;
      if (messages.has(full)) return full;
      if (scope === '') return undefined;
    }
  };
  const places = (message: string, path: readonly string[]): FieldPlace[] =>
    fieldsOf(message).flatMap((field) => {
      const own = [...path, field.name];
      const part = resolve(field.type, message);
      const place = { path: own, key: `${message}.${field.name}` };
      return part === undefined || fieldsOf(part).length === 0 ? [place] : places(part, own);
    });
  const write = (writer: BinaryWriter, message: string, value: Message): BinaryWriter => {
    for (const field of fieldsOf(message)) {
      const given = value[field.name];
      if (given === undefined) continue;
      const part = resolve(field.type, message);
      for (const each of field.isRepeated && Array.isArray(given) ? (given as readonly Value[]) : [given]) {
        if (part === undefined) writeScalar(writer, field, each);
        else write(writer.uint32((field.number << 3) | 2).fork(), part, each as Message).join();
      }
    }
    return writer;
  };
  return {
    methods,
    placesOf: (request) => places(request, []),
    encode: (request, message) => write(new BinaryWriter(), request, message).finish(),
  };
}

function writeScalar(writer: BinaryWriter, { number, type }: FieldDefinition, value: Value): void {
  const bytes = (text: Text) => (typeof text === 'string' ? new TextEncoder().encode(text) : text);
  if (type === 'map') {
    for (const [key, text] of value as readonly (readonly [Text, Text])[]) {
      writer.uint32((number << 3) | 2).fork();
      writer.uint32((1 << 3) | 2).bytes(bytes(key));
      writer.uint32((2 << 3) | 2).bytes(bytes(text));
      writer.join();
    }
  } else if (type === 'string') writer.uint32((number << 3) | 2).bytes(bytes(value as Text));
  else writer.uint32(number << 3).int64(BigInt(value as number | bigint | boolean));
}

interface Parsed {
  readonly messages: Map<string, readonly FieldDefinition[]>;
  readonly methods: MethodDefinition[];
}

/** Of the language of .proto files what this one uses. */
function parse(tokens: readonly string[]): Parsed {
  const messages = new Map<string, readonly FieldDefinition[]>();
  const methods: MethodDefinition[] = [];
  let at = 0;
  const next = (): string => tokens[at++] ?? '';
  const skipTo = (end: string): void => {
    while (at < tokens.length && next() !== end) continue;
  };
  const skipBlock = (): void => {
    for (let depth = 0; at < tokens.length; ) {
      const token = next();
      if (token === '{') depth += 1;
      if (token === '}' && --depth === 0) return;
    }
  };
  const field = (first: string): FieldDefinition => {
    const isRepeated = first === 'repeated';
    const word = isRepeated ? next() : first;
    if (word === 'map') skipTo('>');
    const name = next();
    next(); // =
    const number = Number(next());
    skipTo(';');
    return { name, number, type: word.replace(/^\./, ''), isRepeated };
  };
  const body = (full: string, fields: FieldDefinition[]): void => {
    for (let token = next(); token !== '}' && token !== ''; token = next()) {
      if (token === 'option') skipTo(';');
      else if (token === 'enum') skipBlock();
      else if (token === 'message') message(full);
      else if (token === 'oneof') {
        skipTo('{');
        body(full, fields);
      } else fields.push(field(token));
    }
  };
  const message = (scope: string): void => {
    const full = scope === '' ? next() : `${scope}.${next()}`;
    next(); // {
    const fields: FieldDefinition[] = [];
    body(full, fields);
    messages.set(full, fields);
  };
  const service = (): void => {
    const name = next();
    next(); // {
    for (let token = next(); token !== '}' && token !== ''; token = next()) {
      if (token !== 'rpc') continue;
      const rpc = next();
      next(); // (
      const request = next();
      skipTo('returns');
      next(); // (
      methods.push({ service: name, name: rpc, request, isStream: next() === 'stream' });
      skipBlock();
    }
  };
  while (at < tokens.length) {
    const token = next();
    if (token === 'message') message('');
    else if (token === 'service') service();
    else if (token === 'enum' || token === 'extend') skipBlock();
  }
  return { messages, methods };
}

/** The message with this in the place; parts on the way are made, and of a list its first is meant. */
export function withValue(message: Message, path: readonly string[], value: Value): Message {
  const [name = '', ...rest] = path;
  // Of the two kinds of access a capability has one.
  const { mount: _other, ...others } = message;
  const part = message[name];
  // What a class says beside an attack stays: of a key that is there twice the last counts.
  if (rest.length === 0 && name === 'parameters' && Array.isArray(part) && Array.isArray(value)) {
    return { ...message, [name]: [...(part as readonly Value[]), ...(value as readonly Value[])] };
  }
  if (rest.length === 0) return { ...(name === 'block' ? others : message), [name]: value };
  if (Array.isArray(part)) {
    const [first = {}, ...more] = part as readonly Message[];
    return { ...message, [name]: [withValue(first, rest, value), ...more] };
  }
  return { ...message, [name]: withValue((part ?? {}) as Message, rest, value) };
}
