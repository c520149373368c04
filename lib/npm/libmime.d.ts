// Types for `libmime`, as far as it is used here; it has none of its own.
declare const libmime: {
  decodeFlowed(text: string, delSp: boolean): string;
  decodeWords(text: string): string;
  detectExtension(contentType: string): string;
  detectMimeType(filename: string): string;
  normalizeCharset(charset: string): string;
};
export default libmime;
