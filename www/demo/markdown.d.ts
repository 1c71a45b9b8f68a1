// esbuild hands a .md file over as text.
declare module "*.md" {
  const text: string;
  export default text;
}
