import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { packageRoot } from '../../ts/common/package-paths.ts';
import { platformName } from '../../ts/runtime/native/host-platform.ts';

// Electron refuses buffers over memory of an addon. What the core does not import it cannot call, so that all data goes the way of the
// copy there as everywhere: into memory that JavaScript has brought. On Windows napi looks functions up by name, all of them.
describe.skipIf(process.platform === 'win32')('the built core', () => {
  const core = readFileSync(join(packageRoot, 'native', `sage-kernel.${platformName()}.node`));

  test('imports what reads and writes memory of JavaScript', () => {
    expect(core.includes('napi_get_typedarray_info')).toBe(true);
  });

  test.each(['napi_create_external', 'napi_create_external_arraybuffer', 'napi_create_external_buffer', 'node_api_create_external_string_utf16', 'napi_create_buffer'])(
    'does not import %s',
    (name) => {
      expect(core.includes(`${name}\0`)).toBe(false);
    },
  );
});
