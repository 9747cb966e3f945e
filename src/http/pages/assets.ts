/**
 * What pages load: scripts, style sheets and the icon, each under an address that holds a hash of its bytes, so that
 * browsers may keep it for a year and still see every change at once. The scripts are the modules in `browser/` as they
 * lie there (tsc puts them beside the compiled files), and uPlot from its package; nothing comes from another host.
 *
 * A module's imports are written as files lie (`./figures.js`, `uplot`) and served as they are addressed: the imported
 * file's hash stands in the text of the importing one, so a change below changes every address above it. All is read
 * at the start.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Router } from 'express';
import { type Compress, Compressible } from '../compressible.ts';
import { readOnly, send } from '../web-reply.ts';
import { ICON, STYLE_SHEET } from './style.ts';

const FOLDER = '/assets/';
/** Of the hash, in hex digits: 64 bits, far beyond chance. */
const HASH_DIGITS = 16;
const A_YEAR = 'public, max-age=31536000, immutable';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The names by which modules import what is not beside them, and the files in node_modules. */
const PACKAGES: Readonly<Record<string, string>> = { uplot: 'uplot/dist/uPlot.esm.js' };
const IMPORT = /(?<=^(?:import|export)\b[^'"=]*\bfrom ['"]|^import ['"])[^'"]+(?=['"];$)/gm;

interface Asset {
  readonly fileName: string;
  readonly body: Compressible;
}

export class Assets {
  /** By name: `stats-page.js`, `uplot.css`. */
  readonly #byName = new Map<string, Asset>();
  readonly #byFileName = new Map<string, Asset>();

  /** Reads every file. Throws when one is missing or imports what is not there: a build that is not whole. */
  constructor() {
    const folder = new URL('./browser/', import.meta.url);
    const modules = new Map<string, string>();
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.js')) modules.set(name, readFileSync(new URL(name, folder), 'utf8'));
    }
    const packages = createRequire(import.meta.url);
    for (const [name, file] of Object.entries(PACKAGES)) {
      modules.set(`${name}.js`, readFileSync(packages.resolve(file), 'utf8'));
    }
    for (const name of modules.keys()) this.#addModule(name, modules, []);
    this.#add('trakx.css', STYLE_SHEET);
    this.#add('uplot.css', readFileSync(packages.resolve('uplot/dist/uPlot.min.css'), 'utf8'));
    this.#add('trakx.svg', ICON);
  }

  /** The path under which pages load it. Throws for a name that is none: a page that names it is wrong. */
  address(name: string): string {
    const asset = this.#byName.get(name);
    if (asset === undefined)
      throw new Error(`no asset is named ${name}: ${[...this.#byName.keys()].join(', ')}`);
    return FOLDER + asset.fileName;
  }

  find(fileName: string): Asset | undefined {
    return this.#byFileName.get(fileName);
  }

  #addModule(name: string, modules: ReadonlyMap<string, string>, importers: readonly string[]): Asset {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const text = modules.get(name);
    if (text === undefined || importers.includes(name)) {
      throw new Error(
        `${importers.join(' > ')} imports ${name}, which ${text === undefined ? 'is missing' : 'imports it'}`,
      );
    }
    const isOurs = !Object.keys(PACKAGES).includes(name.slice(0, -'.js'.length));
    const addressed = !isOurs
      ? text
      : text.replace(IMPORT, (specifier) => {
          const imported = specifier.startsWith('./') ? specifier.slice(2) : `${specifier}.js`;
          return `./${this.#addModule(imported, modules, [...importers, name]).fileName}`;
        });
    return this.#add(name, addressed);
  }

  #add(name: string, text: string): Asset {
    const dot = name.lastIndexOf('.');
    const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
    const asset = {
      fileName: `${name.slice(0, dot)}.${hash}${name.slice(dot)}`,
      body: new Compressible(CONTENT_TYPES[name.slice(dot + 1)]!, text),
    };
    this.#byName.set(name, asset);
    this.#byFileName.set(asset.fileName, asset);
    return asset;
  }
}

export function assetRoutes(assets: Assets, compress?: Compress): Router {
  const router = Router({ caseSensitive: true });
  readOnly(router, `${FOLDER}:fileName`, async (request, response) => {
    const asset = assets.find(String(request.params.fileName));
    if (asset === undefined) {
      send(response, 404, 'text/plain; charset=utf-8', 'not found\n');
      return;
    }
    await asset.body.sendTo(request, response, { 'Cache-Control': A_YEAR }, compress);
  });
  return router;
}
