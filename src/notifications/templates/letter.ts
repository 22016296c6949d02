import { oneLine } from './html.js';

const WHOLE_NUMBER = new Intl.NumberFormat('en');

/** What a mail says, before it is laid out as HTML or as plain text. */
export interface Letter {
  /** The name of its template, as in the ledger. */
  readonly template: string;
  readonly subject: string;
  /** What an inbox shows after the subject. */
  readonly preheader: string;
  readonly heading: string;
  readonly mood: Mood;
  readonly blocks: readonly Block[];
}

/** Colours the badge above the heading: good news, bad news, or something to watch. */
export type Mood = { readonly kind: 'good' | 'bad' | 'watch'; readonly word: string };

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

/** Quantity, thing, and what is right-aligned: an amount or a number. */
export type Row = readonly [quantity: string, name: string, last: string];

/** The sender of a mail, as its reader knows it. */
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

/** An order number that a person can read aloud. UUIDv7s of one minute begin alike, so it is the end that tells. */
export const shortNumber = (orderId: string): string => orderId.slice(-8).toUpperCase();

/** Both numbers: one to say, one to search for. */
export const orderFacts = (orderId: string): readonly (readonly [string, string])[] => [
  ['Order', shortNumber(orderId)],
  ['Full order number', orderId],
];
