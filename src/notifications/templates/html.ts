const BREAKS = /[\p{Cc}\s]+/gu;
const DIRECTION_MARKS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

type Part = string | number | Html | readonly Html[];

/** Markup made by the `html` tag: all text in it is escaped. */
export class Html {
  private constructor(private readonly markup: string) {}

  /** Escapes text and inserts markup unchanged. */
  static of(literals: TemplateStringsArray, parts: readonly Part[]): Html {
    return new Html(literals.map((literal, index) => literal + markupOf(parts[index] ?? '')).join(''));
  }

  toString(): string {
    return this.markup;
  }
}

/** Writes markup: html`<p>${name}</p>`. Text is escaped; markup and lists of markup are inserted unchanged. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return Html.of(literals, parts);
}

/**
 * Makes a text that a person typed one line of limited length. Line breaks could forge headers and paragraphs of a
 * mail, control characters are not allowed in HTML, and direction marks can make a text look like another one.
 */
export function oneLine(text: string, lengthMax = 200): string {
  const characters = Array.from(text.replace(DIRECTION_MARKS, '').replace(BREAKS, ' ').trim());
  return (characters.length > lengthMax ? [...characters.slice(0, lengthMax - 1), '…'] : characters).join('');
}

function markupOf(part: Part): string {
  if (part instanceof Html) return part.toString();
  if (typeof part === 'object') return part.map(markupOf).join('');
  return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
