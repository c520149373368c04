// Types for `libmime`, as far as it is used here; it has none of its own.
declare const libmime: {
  decodeWords(text: string): string;
  normalizeCharset(charset: string): string;
};
export default libmime;
