// What the build makes modules of: text files, and a library whose browser file has no types of its own.
declare module "*.md" {
  const text: string;
  export default text;
}
declare module "mammoth/mammoth.browser.min.js" {
  import mammoth from "mammoth";
  export default mammoth;
}
