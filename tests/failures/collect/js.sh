# node, npm, tsc, eslint, prettier, stylelint, jest, vitest, mocha, webpack, vite.
node="--tool=node --version"
js_project() {
  project
  printf '{"name":"shop","version":"1.0.0","type":"commonjs","scripts":{"test":"%s","lint":"%s","build":"%s"}%s}\n' "${1:-node --test}" "${2:-eslint .}" "${3:-tsc -p .}" "${4:-}" >package.json
  ln -s /home/user/tools/node_modules node_modules
}
js_project
mkdir src; printf 'export function total(items: number[]): string {\n  return items.length;\n}\n' >src/total.ts
printf '{"compilerOptions":{"strict":true,"noEmit":true,"types":[]},"include":["src"]}\n' >tsconfig.json
failure tsc build "tsc -p ." "--tool=tsc --version"
failure npm-run-build build "npm run build" "--tool=npm --version"
printf 'export const unauthorized = (): number => "401 Unauthorized";\nexport const retry = connectionRefused();\n' >src/http401.ts
failure tsc-401 build "npx tsc -p . --pretty" "--tool=tsc --version" --decoy "a file http401.ts with '401 Unauthorized' in it"
printf 'var unused = 1;\nif (a == b) { console.log("ECONNREFUSED") }\n' >app.js
printf 'module.exports = [{ files: ["*.js"], rules: { eqeqeq: "error", "no-undef": "error", "no-unused-vars": "warn" } }];\n' >eslint.config.js
failure eslint lint "eslint app.js" "--tool=eslint --version" --decoy "the code says ECONNREFUSED"
failure npm-run-lint lint "npm run lint" "--tool=npm --version"
failure prettier lint "prettier --check app.js src" "--tool=prettier --version"
printf 'a { colr: red; }\n' >a.css; printf '{"extends":"stylelint-config-standard"}\n' >.stylelintrc.json
failure stylelint lint "stylelint a.css" "--tool=stylelint --version"
js_project jest
printf 'test("adds", () => { expect(1 + 1).toBe(3); });\ntest("network_timeout", () => {});\n' >sum.test.js
failure jest test "npx jest" "--tool=jest --version" --decoy "a passing test named network_timeout"
failure npm-test-jest test "npm test" "--tool=npm --version"
printf 'test("answers 503", async () => {\n  console.error("Error: connect ECONNREFUSED 127.0.0.1:5432");\n  expect("503 Service Unavailable").toBe("200 OK");\n});\n' >sum.test.js
failure jest-503 test "jest" "--tool=jest --version" --decoy "a logged ECONNREFUSED and an expectation about 503"
printf 'test("waits", async () => { await new Promise(() => {}); }, 500);\n' >sum.test.js
failure jest-timeout test "jest" "--tool=jest --version" --decoy "a test ran into its own time limit"
js_project vitest
printf 'import { test, expect } from "vitest";\ntest("rate limit", () => { expect("rate limit exceeded").toBe("ok"); });\ntest("ENOSPC is told", () => {});\n' >limit.test.mjs
failure vitest test "vitest run" "--tool=vitest --version" --decoy "the failing test is about a rate limit"
js_project "mocha test"
mkdir test; printf 'const assert = require("assert");\ndescribe("permission denied", () => {\n  it("is told", () => assert.equal("EACCES", "EPERM"));\n  it("times out", (done) => {}).timeout(100);\n});\n' >test/a.js
failure mocha test "npm test" "--tool=mocha --version" --decoy "tests about EACCES, one that times out"
js_project
mkdir test; printf 'const { test } = require("node:test");\nconst assert = require("node:assert");\ntest("out of memory", () => assert.strictEqual(1, 2));\n' >test/a.test.js
failure node-test test "npm test" "$node" --decoy "the failing test is called 'out of memory'"
js_project
printf 'const x = {;\n' >broken.js; failure node-syntax build "node broken.js" "$node"
printf 'require("./lib/missing");\n' >app.js; failure node-module build "node app.js" "$node"
printf 'throw new Error("unexpected answer: { errors: 0, status: \\"429 seats left\\" }");\n' >app.js
failure node-throw unknown "node app.js" "$node" --decoy "'429 seats left'"
printf 'const config = JSON.parse("{}");\nconsole.log("INFO connection reset by peer (attempt 1), reconnected");\nconsole.log(config.timeout.seconds);\n' >app.js
failure node-type-error unknown "node app.js" "$node" --decoy "a connection that was reset and came back; a property called timeout"
printf 'fetch("http://127.0.0.1:9/orders").then((r) => r.json()).then(console.log);\n' >app.js
failure node-fetch network "node app.js" "$node"
printf 'require("dns").lookup("db.internal.invalid", (e) => { if (e) throw e; });\n' >app.js
failure node-dns network "node app.js" "$node" --offline
printf 'const axios = require("axios");\naxios.get("http://127.0.0.1:9/").catch((e) => { console.error(e.message); process.exit(1); });\n' >app.js
failure node-axios network "node app.js" "$node" --offline
printf 'const all = [];\nfor (;;) all.push(new Array(1e5).fill({}).map((_, i) => ({ i })));\n' >app.js
failure node-heap out_of_memory "node --max-old-space-size=60 app.js" "$node"
printf 'require("fs").writeFileSync("/etc/app.conf", "x");\n' >app.js
failure node-eacces permission "node app.js" "$node" --user
printf 'const { spawnSync } = require("child_process");\nconst r = spawnSync("pulumi", ["preview"]);\nif (r.error) throw r.error;\n' >app.js
failure node-enoent missing_tool "node app.js" "$node"
printf 'require("http").createServer().listen(80);\n' >app.js
failure node-listen permission "node app.js" "$node" --user
printf 'const s = require("http").createServer().listen(18099, () => require("http").createServer().listen(18099));\n' >app.js
failure node-in-use unknown "node app.js" "$node"
printf 'import "./missing-module.js";\nconsole.log(1);\n' >index.js
failure webpack build "webpack --mode production --entry ./index.js" "--tool=webpack --version"
printf '<script type="module" src="/index.js"></script>\n' >index.html
failure vite build "vite build" "--tool=vite --version"
js_project
failure npm-no-script unknown "npm run deploy" "--tool=npm --version"
failure npx-missing missing_tool "npx --no-install turbo run build" "--tool=npm --version" --decoy "run build"
sed -i 's/"eslint ."/"biome check ."/' package.json
failure npm-script-127 missing_tool "npm run lint" "--tool=npm --version" --decoy "npm run lint"
rm node_modules
printf '{"name":"shop","version":"1.0.0","dependencies":{"react":"17.0.2","react-dom":"18.2.0"}}\n' >package.json
failure npm-eresolve build "npm install" "--tool=npm --version"
printf '{"name":"shop","version":"1.0.0","dependencies":{"left-pad":"99.9.9"}}\n' >package.json
failure npm-etarget build "npm install" "--tool=npm --version"
printf '{"name":"shop","version":"1.0.0","dependencies":{"left-pad":"1.3.0"}}\n' >package.json
failure npm-offline network "npm install" "--tool=npm --version" --offline --env npm_config_cache=/home/user/.empty-npm --env npm_config_fetch_retries=0
npm install --silent --package-lock-only >/dev/null 2>&1; sed -i 's/sha512-..../sha512-AAAA/' package-lock.json
failure npm-integrity corrupt_state "npm ci" "--tool=npm --version" --env npm_config_cache=/home/user/.empty-npm
printf '{"name":"shop","lockfileVersion":3,' >package-lock.json
failure npm-ci-lock build "npm ci" "--tool=npm --version"
failure npm-whoami auth "npm whoami" "--tool=npm --version" --env npm_config_userconfig=/home/user/.empty-npmrc
failure npm-global permission "npm install -g left-pad" "--tool=npm --version" --user
