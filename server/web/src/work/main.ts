import { createApp } from "vue";
import App from "./App.vue";
import { followAddress } from "./route";
import "../styles/base.css";
import "./work.css";

followAddress();
createApp(App).mount("#app");
