import { createApp } from "vue";
import SignApp from "./SignApp.vue";
import "../styles/base.css";
import "../styles/plain.css";
import "../forms/form.css";

createApp(SignApp).mount("#app");
