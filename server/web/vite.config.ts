import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import type { Connect, Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** The pages: the leader's screen, the staff's, the public's, and where one signs in. */
const PAGES = ["index", "work", "public", "sign"] as const;

const page = (name: string): string => fileURLToPath(new URL(`./${name}.html`, import.meta.url));

/** While developing, an address beneath a page is that page, as the program answers it. */
function deepLinks(): Plugin {
  const rewrite: Connect.NextHandleFunction = (request, _response, next) => {
    const found = /^\/(work|public|sign)(?:\/[^.]*)?(\?.*)?$/.exec(request.url ?? "");
    if (found) request.url = `/${found[1]}.html${found[2] ?? ""}`;
    next();
  };
  return {
    name: "deep-links",
    configureServer: (server) => void server.middlewares.use(rewrite),
  };
}

// The built pages are embedded in the program and served under a strict content policy:
// no inline script, no eval, nothing from another host.
export default defineConfig({
  plugins: [vue(), deepLinks()],
  base: "/",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      input: Object.fromEntries(PAGES.map((name) => [name, page(name)])),
      output: {
        manualChunks: (id: string) =>
          id.includes("echarts") || id.includes("zrender") ? "charts" : undefined,
      },
    },
  },
  server: {
    proxy: { "/api": process.env["YIKU_SERVER"] ?? "http://127.0.0.1:8080" },
  },
  test: { include: ["src/**/*.test.ts"] },
});
