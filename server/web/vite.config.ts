import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

// The built page is embedded in the program and served at `/` under a strict content policy:
// no inline script, no eval, nothing from another host.
export default defineConfig({
  plugins: [vue()],
  base: "/",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    rollupOptions: {
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
