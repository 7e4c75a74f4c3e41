// The npm packages that the stories use; ../clients has the one package.json.

export { chromium } from '../clients/node_modules/playwright-core/index.mjs';
export * as openid from '../clients/node_modules/openid-client/build/index.js';
export const AXE = new URL('../clients/node_modules/axe-core/axe.min.js', import.meta.url);
