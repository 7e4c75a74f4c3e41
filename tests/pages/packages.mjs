// The npm packages that the stories use; ../clients has the one package.json. What one story alone uses is loaded by it alone.

export { chromium } from '../clients/node_modules/playwright-core/index.mjs';
export * as openid from '../clients/node_modules/openid-client/build/index.js';
export const AXE = new URL('../clients/node_modules/axe-core/axe.min.js', import.meta.url);
export const authJs = () => import('../clients/node_modules/@auth/core/index.js');
export const esbuild = () => import('../clients/node_modules/esbuild/lib/main.js');
