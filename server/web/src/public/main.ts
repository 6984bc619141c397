import { createApp } from "vue";
import "../styles/base.css";
import "../styles/plain.css";
import "../forms/form.css";
import PublicApp from "./PublicApp.vue";

createApp(PublicApp).mount("#app");
