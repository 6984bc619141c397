import { createApp } from "vue";
import App from "./App.vue";
import { start } from "./state/dashboard";
import "element-plus/es/components/base/style/css";
import "./styles/base.css";

void start();
createApp(App).mount("#app");
