/** What tests use of @std beside the assertions, in the one place that names where it comes from. */
// @ts-types="../lib/std/parse_args.d.ts"
export { parseArgs } from "npm:deno-std@1.4.0/cli/parse_args.js";
// @ts-types="./std/text_line_stream.d.ts"
export { TextLineStream } from "npm:deno-std@1.4.0/streams/text_line_stream.js";
// @ts-types="../lib/std/uuid_v7.d.ts"
export { generate } from "npm:deno-std@1.4.0/uuid/v7.js";
