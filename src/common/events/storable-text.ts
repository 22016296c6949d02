import { maskPersonal } from '../logging/redact.js';

const ERROR_TEXT_MAX = 2_000;

/** PostgreSQL takes any text but that with a NUL in it, and an outcome must not be lost because of its text. */
export function storable(text: unknown): string {
  return maskPersonal(String(text)).replaceAll('\0', '').slice(0, ERROR_TEXT_MAX);
}
