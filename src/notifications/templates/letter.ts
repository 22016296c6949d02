import { oneLine } from './html.js';

const WHOLE_NUMBER = new Intl.NumberFormat('en');

/** The content of a mail, before its layout as HTML and as plain text. */
export interface Letter {
  /** The name of its template, as stored with the message. */
  readonly template: string;
  readonly subject: string;
  /** The text that an inbox shows after the subject. */
  readonly preheader: string;
  readonly heading: string;
  readonly badge: Badge;
  readonly blocks: readonly Block[];
}

/** The badge above the heading. Its kind gives its colours: good news, bad news, or a warning. */
export type Badge = { readonly kind: 'good' | 'bad' | 'watch'; readonly label: string };

export type Block =
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'facts'; readonly rows: readonly Fact[] }
  | Table;

export interface Fact {
  readonly label: string;
  readonly value: string;
}

export interface Table {
  readonly kind: 'table';
  /** Read out by screen readers, and shown in plain text. */
  readonly caption: string;
  readonly head: Row;
  readonly rows: readonly Row[];
  readonly foot?: Fact;
}

/** Quantity, name, and a right-aligned column: an amount or a number. */
export type Row = readonly [quantity: string, name: string, last: string];

/** The sender of a mail. */
export interface Shop {
  readonly name: string;
  readonly address: string;
}

export const paragraph = (text: string): Block => ({ kind: 'paragraph', text: oneLine(text, 1_000) });

export const facts = (...rows: readonly (readonly [label: string, value: string])[]): Block => ({
  kind: 'facts',
  rows: rows.map(([label, value]) => ({ label, value: oneLine(value) })),
});

export const count = (pieces: number): string => WHOLE_NUMBER.format(pieces);

/** An order number that a person can read aloud: the end of the id, because UUIDv7s of the same minute begin alike. */
export const shortNumber = (orderId: string): string => orderId.slice(-8).toUpperCase();

/** Both numbers: the short one to read aloud, the full one to search for. */
export const orderFacts = (orderId: string): readonly (readonly [string, string])[] => [
  ['Order', shortNumber(orderId)],
  ['Full order number', orderId],
];
