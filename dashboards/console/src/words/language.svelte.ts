// The language in force and the words of the moment. Components read `language.words` and `language.say` and nothing else, so a
// switch of language or venue redraws every sentence.
import { CATALOGUES, isLanguage } from "./catalogue";
import { Speech, type LanguageCode } from "./speech";

const KEY = "midan.language";

class Language {
  code: LanguageCode = $state(initial());
  zone = $state("UTC");
  offset = $state<number | null>(null);
  say = $derived(new Speech(this.code, this.zone, this.offset));
  words = $derived(CATALOGUES[this.code](this.say));

  choose(code: LanguageCode): void {
    this.code = code;
    localStorage.setItem(KEY, code);
  }
}

export const language = new Language();

function initial(): LanguageCode {
  const kept = localStorage.getItem(KEY);
  if (isLanguage(kept)) return kept;
  const wanted = navigator.language.slice(0, 2);
  return isLanguage(wanted) ? wanted : "en";
}
