// The way in: the theme, the live store, the page.
import "./theme.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { desk } from "./live/console.svelte";

desk.start();
mount(App, { target: document.body });
