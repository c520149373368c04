// Types for `libmime`, as far as it is used here; it has none of its own.
declare class Libmime {
  decodeFlowed(text: string, delSp: boolean): string;
  decodeWord: (charset: string, encoding: string, text: string) => string;
  decodeWords(text: string): string;
  detectExtension(contentType: string): string;
  detectMimeType(filename: string): string;
  normalizeCharset(charset: string): string;
}
declare const libmime: Libmime & { readonly Libmime: typeof Libmime };
export default libmime;
