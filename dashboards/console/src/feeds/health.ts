// The health of a feed, over all its sources: how many devices report, the age of the oldest, who is silent or set aside.
import type { Feed } from "../contract/types";

export interface FeedHealth {
  feed: string;
  sources: string[];
  reporting: number;
  expected: number;
  age: number | null;
  idle: boolean;
  quarantined: string[];
  unwell: boolean;
}

const OLD_S: Record<string, number> = { transport: 120 };
const OLD_OTHERWISE_S = 30;
const FEW = 0.9;

export function byFeed(feeds: Feed[]): FeedHealth[] {
  const names = [...new Set(feeds.map((f) => f.feed))].sort();
  return names.map((name) => {
    const of = feeds.filter((f) => f.feed === name);
    const ages = of.map((f) => f.age_s).filter((age): age is number => age != null);
    const reporting = of.reduce((sum, f) => sum + f.reporting, 0);
    const expected = of.reduce((sum, f) => sum + f.expected, 0);
    const age = ages.length > 0 ? Math.max(...ages) : null;
    const quarantined = of.flatMap((f) => f.quarantined ?? []);
    const old = age === null || age > (OLD_S[name] ?? OLD_OTHERWISE_S);
    return {
      feed: name,
      sources: of.map((f) => f.source),
      reporting,
      expected,
      age,
      idle: of.some((f) => f.idle),
      quarantined,
      unwell: old || quarantined.length > 0 || reporting < expected * FEW,
    };
  });
}
