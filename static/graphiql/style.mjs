// Writes GraphiQL's style sheet without its fonts and its images in data: URLs, which the
// policy of the page does not let in, and adds our own rules.
import { readFileSync, writeFileSync } from "node:fs";

const css = readFileSync("node_modules/graphiql/dist/style.css", "utf8");
const bare = css.replace(/@font-face\s*\{[^}]*\}/g, "").replace(/url\(\s*["']?data:[^)]*\)/g, "none");
if (/@import|url\(/.test(bare)) throw new Error("the style sheet still loads something");
writeFileSync(process.argv[2], bare + readFileSync("own.css", "utf8"));
