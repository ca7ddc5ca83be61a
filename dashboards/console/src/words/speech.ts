// How a number, a share, a length of time or an hour is said in one language at one venue. This is the last step before the
// screen: everything upstream keeps raw numbers and epoch milliseconds. Digits are always Western; times are always 24 hours.

export type LanguageCode = "en" | "fr";

const LOCALES: Record<LanguageCode, string> = { en: "en-GB", fr: "fr-FR" };
const MINUTE = 60_000;
const MINUS = "\u2212";
const NARROW = "\u202f";

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

export class Speech {
  private readonly rules: Intl.PluralRules;
  private readonly numbers = new Map<number, Intl.NumberFormat>();
  private readonly clocks = new Map<string, Intl.DateTimeFormat>();

  constructor(
    readonly language: LanguageCode,
    readonly zone: string,
    /** The venue's offset from UTC as the service says it, s: browsers differ on years to come (Morocco 2030). */
    readonly offset: number | null = null,
  ) {
    this.rules = new Intl.PluralRules(LOCALES[language]);
  }

  /** The form that `n` takes in this language. */
  plural(n: number, forms: Forms): string {
    return forms[this.rules.select(n)] ?? forms.other;
  }

  /** A number with up to `digits` decimals. */
  number(n: number, digits = 0): string {
    let format = this.numbers.get(digits);
    if (!format) {
      const locale = `${LOCALES[this.language]}-u-nu-latn`;
      format = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
      this.numbers.set(digits, format);
    }
    return format.format(n).replace("-", MINUS);
  }

  /** An estimated head count, no finer than it deserves: exact below 100, then tens, then hundreds. */
  persons(n: number): string {
    return this.number(roundPersons(n));
  }

  /** A share. It is rounded down, so that "100 %" means all of it. */
  percent(share: number): string {
    const percent = share * 100;
    const digits = percent >= 0.1 && percent < 1 ? 1 : 0;
    const scale = 10 ** digits;
    return `${this.number(Math.floor(percent * scale + 1e-6) / scale, digits)}${NARROW}%`;
  }

  /** A length of time, as a person would say it. */
  duration(seconds: number): string {
    const s = Math.max(0, Math.round(seconds));
    if (s < 90) return `${s}${NARROW}s`;
    const minutes = Math.round(s / 60);
    if (minutes < 90) return `${minutes}${NARROW}min`;
    const rest = minutes % 60;
    const hours = `${Math.floor(minutes / 60)}${NARROW}h`;
    return rest === 0 ? hours : `${hours} ${rest}${NARROW}min`;
  }

  /** Seconds with a decimal while they are few: how far behind a feed is. */
  lag(seconds: number): string {
    return seconds < 60 ? `${this.number(seconds, 1)}${NARROW}s` : this.duration(seconds);
  }

  /** The hour at the venue. */
  clock(at: number): string {
    return this.local(at, false);
  }

  /** The hour at the venue, to the second. */
  clockSeconds(at: number): string {
    return this.local(at, true);
  }

  /** The hour in UTC. */
  utc(at: number): string {
    return this.time(at, "UTC", false);
  }

  private local(at: number, seconds: boolean): string {
    if (this.offset === null) return this.time(at, this.zone, seconds);
    return this.time(at + this.offset * 1_000, "UTC", seconds);
  }

  private time(at: number, zone: string, seconds: boolean): string {
    const key = `${zone} ${seconds}`;
    let format = this.clocks.get(key);
    if (!format) {
      format = new Intl.DateTimeFormat("en-GB-u-nu-latn", {
        timeZone: zone,
        hourCycle: "h23",
        hour: "2-digit",
        minute: "2-digit",
        ...(seconds ? { second: "2-digit" } : {}),
      });
      this.clocks.set(key, format);
    }
    return format.format(at);
  }
}

/** Time from the kick-off, to the minute: KO−01:35, KO+00:12. Rounded down, so that it agrees with the clock beside it. */
export function kickOffRelative(at: number, kickOff: number): string {
  const minutes = Math.floor((at - kickOff) / MINUTE);
  const size = Math.abs(minutes);
  const hours = String(Math.floor(size / 60)).padStart(2, "0");
  return `KO${minutes < 0 ? MINUS : "+"}${hours}:${String(size % 60).padStart(2, "0")}`;
}

export function roundPersons(n: number): number {
  const step = Math.abs(n) < 100 ? 1 : Math.abs(n) < 10_000 ? 10 : 100;
  return Math.round(n / step) * step;
}
