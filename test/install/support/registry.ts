import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { platform, run, type Tarballs } from './installed-project.ts';

/** A package registry on the loopback interface, with our packages in it. */
export interface Registry extends AsyncDisposable {
  readonly url: string;
  /** Names of the packages whose tarball was asked for. */
  readonly downloads: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What the name of a platform means to npm, written by hand. */
const FIELDS: Readonly<Record<string, object>> = {
  'linux-x64-gnu': { os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
  'linux-arm64-gnu': { os: ['linux'], cpu: ['arm64'], libc: ['glibc'] },
  'linux-x64-musl': { os: ['linux'], cpu: ['x64'], libc: ['musl'] },
  'linux-arm64-musl': { os: ['linux'], cpu: ['arm64'], libc: ['musl'] },
  'darwin-x64': { os: ['darwin'], cpu: ['x64'] },
  'darwin-arm64': { os: ['darwin'], cpu: ['arm64'] },
  'win32-x64-msvc': { os: ['win32'], cpu: ['x64'] },
  'win32-arm64-msvc': { os: ['win32'], cpu: ['arm64'] },
};

/** Serves the tarballs; the core stands for those of the other platforms too, as only what is asked for matters. */
export async function startRegistry(tarballs: Tarballs): Promise<Registry> {
  const packages = new Map<string, { manifest: Manifest; file: string }>();
  const add = (file: string): Manifest => {
    const manifest = manifestIn(file);
    packages.set(manifest.name, { manifest, file });
    return manifest;
  };
  const main = add(tarballs.main);
  for (const file of tarballs.dependencies) add(file);
  for (const name of Object.keys(main.optionalDependencies ?? {})) {
    const fields = FIELDS[name.replace('sage-kernel-', '')];
    if (fields === undefined) throw new Error(`${name} is not known here: add its os and cpu`);
    packages.set(name, { manifest: { name, version: main.version, ...fields }, file: tarballs.core });
  }
  // The one that is there speaks for itself.
  if (add(tarballs.core).name !== `sage-kernel-${platform}`) throw new Error(`${tarballs.core} is not the core of ${platform}`);

  const downloads: string[] = [];
  const server = createServer((request, response) => {
    const [, name = '', tarball] = decodeURIComponent(request.url ?? '').split('/');
    const found = packages.get(name);
    if (found === undefined) return end(response, 404, '{}');
    if (tarball !== undefined) {
      downloads.push(name);
      return end(response, 200, readFileSync(found.file));
    }
    const { manifest, file } = found;
    const integrity = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
    const version = { ...manifest, dist: { tarball: `${url}${name}/${manifest.version}.tgz`, integrity } };
    return end(response, 200, JSON.stringify({ name, 'dist-tags': { latest: manifest.version }, versions: { [manifest.version]: version } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    downloads,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function end(response: ServerResponse, status: number, body: string | Buffer): void {
  response.writeHead(status, { 'content-type': typeof body === 'string' ? 'application/json' : 'application/octet-stream' }).end(body);
}

function manifestIn(tarball: string): Manifest {
  const { stdout, stderr } = run('tar', ['-xzOf', tarball, 'package/package.json'], join(tarball, '..'));
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Manifest;
}
