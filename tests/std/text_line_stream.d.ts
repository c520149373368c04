// Types for `streams/text_line_stream.js` of @std; npm's build of @std has none.
export class TextLineStream extends TransformStream<string, string> {}
