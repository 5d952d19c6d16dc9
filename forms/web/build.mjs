/*
 * Builds the browser bundle: node build.mjs OUTDIR
 *
 * Writes into OUTDIR the files named by their content, manifest.json (what a page loads: entry -> js, css, imports)
 * and THIRD_PARTY_NOTICES.txt (the licence of every package that went in). Loads nothing from elsewhere at run time.
 */
import * as esbuild from 'esbuild';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const ENTRIES = { viewer: 'src/viewer.js' };

const outdir = process.argv[2];
if (!outdir) {
  console.error('build.mjs: say where to write: node build.mjs OUTDIR');
  process.exit(2);
}
mkdirSync(outdir, { recursive: true });

const { metafile } = await esbuild.build({
  entryPoints: ENTRIES,
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  metafile: true,
  entryNames: '[name]-[hash]',
  chunkNames: 'chunk-[hash]',
  assetNames: '[name]-[hash]',
  // The whole texts are in THIRD_PARTY_NOTICES.txt; esbuild would keep only the few that are marked as legal comments.
  legalComments: 'none',
  logLevel: 'warning',
});

writeFileSync(join(outdir, 'manifest.json'), JSON.stringify(manifest(metafile), null, 1) + '\n');
writeFileSync(join(outdir, 'THIRD_PARTY_NOTICES.txt'), notices(metafile));

function manifest({ outputs }) {
  const entryOf = Object.fromEntries(Object.entries(ENTRIES).map(([ name, source ]) => [ source, name ]));
  const entries = {};
  for (const [ file, output ] of Object.entries(outputs)) {
    if (output.entryPoint in entryOf) {
      entries[entryOf[output.entryPoint]] = {
        js: basename(file),
        css: output.cssBundle ? basename(output.cssBundle) : null,
        imports: output.imports.filter(i => !i.external && i.kind === 'import-statement').map(i => basename(i.path)),
      };
    }
  }
  return { entries };
}

function notices({ inputs }) {
  const folders = new Set(
    Object.keys(inputs).map(path => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/)?.[0]).filter(Boolean)
  );
  const parts = [ ...folders ].sort().map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find(f => /^(licen[sc]e|copying)/i.test(f));
    if (!license && !file) {
      throw new Error(`${name}@${version} names no licence; it may not go into the bundle.`);
    }
    const text = file ? readFileSync(join(folder, file), 'utf8').trim() : 'The package carries no licence file.';
    return `==== ${name} ${version} (${license ?? 'see below'})\n\n${text}\n`;
  });
  return 'The browser files beside this one contain these packages.\n\n' + parts.join('\n');
}
