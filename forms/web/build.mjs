/*
 * Builds the browser bundle: node build.mjs OUTDIR
 *
 * Writes into OUTDIR the files named by their content, manifest.json (what a page loads: entry -> js, css, imports)
 * and THIRD_PARTY_NOTICES.txt (the licence of every package that went in). Loads nothing from elsewhere at run time.
 *
 * Four things are put right in the packages on their way in; a package that no longer has what is put right ends the
 * build, so that an upgrade cannot lose it in silence:
 *   style="..." in their HTML, which the content policy refuses  -> presentation attributes, or data-s (src/modeler/csp.js)
 *   HTML that they make of their templates, which trusted types refuse -> src/trusted.js, but in the modeler alone
 *   the texts that no translation reaches                        -> src/modeler/texts.mjs
 *   the icon font, which comes in five formats                   -> the one that every browser of today reads
 */
import * as esbuild from 'esbuild';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

import { TEXTS } from './src/modeler/texts.mjs';

const ENTRIES = {
  viewer: 'src/viewer.js',
  modeler: 'src/modeler.js',
  compare: 'src/compare.js',
  migration: 'src/migration.js',
  replay: 'src/replay.js',
  passkey: 'src/passkey.js',
};

const outdir = process.argv[2];
if (!outdir) {
  console.error('build.mjs: say where to write: node build.mjs OUTDIR');
  process.exit(2);
}
mkdirSync(outdir, { recursive: true });

// Every package source that has style="..." in HTML or SVG that it writes, and how often.
const STYLED = {
  'bpmn-js/lib/features/align-elements/AlignElementsIcons.js': 21,
  'bpmn-js/lib/features/distribute-elements/DistributeElementsIcons.js': 6,
  'bpmn-js-color-picker/colors/ColorPopupProvider.js': 1,
  'bpmn-js-token-simulation/lib/features/element-notifications/ElementNotifications.js': 1,
  'bpmn-js-token-simulation/lib/features/log/Log.js': 1,
  'bpmn-js-token-simulation/lib/features/notifications/Notifications.js': 1,
  'bpmn-js-token-simulation/lib/features/show-scopes/ShowScopes.js': 1,
  'bpmn-js-token-simulation/lib/features/token-count/TokenCount.js': 1,
};
const FONT = 'bpmn-js/dist/assets/bpmn-font/css/bpmn.css';
// Where the libraries of a viewer make HTML. Those of the modeler do so in many places more: its page asks for no types.
const MAKING_HTML = {
  'domify/index.js': [
    [ 'innerHTML = htmlString;', "innerHTML = trusted('bpmn-js', htmlString);" ],
    [ 'innerHTML = prefix + htmlString + suffix;', "innerHTML = trusted('bpmn-js', prefix + htmlString + suffix);" ],
  ],
  'tiny-svg/dist/index.js': [
    [ "parseFromString(svg, 'text/xml')", "parseFromString(trusted('bpmn-js', svg), 'text/xml')" ],
  ],
  'bpmn-js/lib/features/drilldown/DrilldownBreadcrumbs.js': [
    [ "breadcrumbs.innerHTML = '';", 'breadcrumbs.replaceChildren();' ],
  ],
};
const changed = new Set();

const mended = {
  name: 'mended',
  setup(build) {
    build.onLoad({ filter: /node_modules.*\.(js|css)$/ }, ({ path }) => {
      const name = path.replaceAll('\\', '/').split('node_modules/').pop();
      if (!(name in STYLED) && !(name in TEXTS) && !(name in MAKING_HTML) && name !== FONT) {
        return undefined;
      }
      changed.add(name);
      let contents = readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
      if (name in STYLED) {
        contents = withoutStyles(name, contents);
      }
      for (const [ from, to ] of TEXTS[name] ?? []) {
        if (!contents.includes(from)) {
          throw new Error(`${name} no longer says ${JSON.stringify(from)}; see src/modeler/texts.mjs.`);
        }
        contents = contents.replaceAll(from, to);
      }
      for (const [ from, to ] of MAKING_HTML[name] ?? []) {
        if (contents.split(from).length !== 2) {
          throw new Error(`${name} no longer says ${JSON.stringify(from)} once; see MAKING_HTML in build.mjs.`);
        }
        contents = contents.replace(from, to);
      }
      if (name in MAKING_HTML) {
        contents = `import { trusted } from ${JSON.stringify(resolve('src/trusted.js'))};\n${contents}`;
      }
      if (name === FONT) {
        contents = contents.replace(/src: url\([^;]*;\s*src:[^;]*;/, "src: url('../font/bpmn.woff2') format('woff2');");
        if (/\.(eot|ttf|woff)\W/.test(contents.replaceAll('bpmn.woff2', ''))) {
          throw new Error(`${name} names its font in another way now; see build.mjs.`);
        }
      }
      return { contents, loader: name.endsWith('.css') ? 'css' : 'js' };
    });
  },
};

// style="fill:none;stroke:red" becomes fill="none" stroke="red"; what is computed
// becomes data-s, which src/modeler/csp.js hands to the CSSOM: the content policy has nothing against that.
function withoutStyles(name, source) {
  let found = 0;
  const result = source.replace(/([\s`])style="([^"]*)"/g, (_, before, style) => {
    found += 1;
    if (style.includes('${')) {
      return `${before}data-s="${style}"`;
    }
    const parts = style.split(';').filter(Boolean).map(part => part.split(':').map(word => word.trim()));
    return before + parts.map(([ property, value ]) => `${property}="${value}"`).join(' ');
  });
  if (found !== STYLED[name]) {
    throw new Error(`${name} has ${found} inline styles and not ${STYLED[name]}; see STYLED in build.mjs.`);
  }
  return result;
}

const { metafile } = await esbuild.build({
  entryPoints: ENTRIES,
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  metafile: true,
  plugins: [ mended ],
  loader: { '.woff2': 'file', '.svg': 'file' },
  entryNames: '[name]-[hash]',
  chunkNames: 'chunk-[hash]',
  assetNames: '[name]-[hash]',
  // The whole texts are in THIRD_PARTY_NOTICES.txt; esbuild would keep only the few that are marked as legal comments.
  legalComments: 'none',
  logLevel: 'warning',
});

for (const name of [ ...Object.keys(TEXTS), ...Object.keys(STYLED), ...Object.keys(MAKING_HTML) ]) {
  if (!changed.has(name)) {
    throw new Error(`${name} is not in the bundle any more; see what is put right in build.mjs.`);
  }
}

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
