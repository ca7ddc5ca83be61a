//! Which of the ordered models a process lacks, for the metrics.
//!
//! The idea: a model that cannot be had is a matter only as long as a venue's orders name it. A wrong hash that another order has corrected is named no more, and is to be forgotten.

use super::ask::Ask;
use super::manifest::{ModelCardRef, Role};
use crate::venue::VenueId;
use std::collections::{BTreeMap, BTreeSet};

/// A model, by its role and its hash.
type Named = (Role, String);

/// What the venues of a process order, as of their last requests.
#[derive(Debug, Default)]
pub struct Orders {
    by_venue: BTreeMap<VenueId, BTreeSet<Named>>,
    lacking: BTreeSet<Named>,
}

impl Orders {
    /// Hears a request that has been answered; `lacks` says whether a model that it names cannot be had. Hands back the models of which it is new that they are lacking, or that they
    /// are lacking no more: they are there, or nobody orders them.
    pub fn hear(&mut self, ask: &Ask, lacks: impl Fn(Role, &ModelCardRef) -> bool) -> Vec<(Named, bool)> {
        let before = self.lacking.clone();
        let mut named = BTreeSet::new();
        for (role, call) in Role::ALL.into_iter().zip(&ask.calls) {
            for card in call.now.iter().chain(&call.ahead) {
                let model = (role, card.sha256.clone());
                if lacks(role, card) {
                    self.lacking.insert(model.clone());
                } else {
                    self.lacking.remove(&model);
                }
                named.insert(model);
            }
        }
        self.by_venue.insert(ask.ticket.venue, named);
        self.lacking.retain(|model| self.by_venue.values().any(|named| named.contains(model)));
        before.symmetric_difference(&self.lacking).map(|model| (model.clone(), self.lacking.contains(model))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::{Call, Ticket};
    use crate::time::EventTime;
    use std::sync::Arc;

    fn ask(venue: u32, now: &[&str]) -> Ask {
        let card = |sha: &&str| ModelCardRef { name: "m".into(), version: "1".into(), sha256: (*sha).into() };
        let call = Call { now: now.iter().map(card).collect(), ..Call::default() };
        let ticket = Ticket { venue: VenueId(venue), pane: EventTime::MIN };
        Ask { ticket, rows: 0, features: Arc::default(), flow: Arc::default(), calls: [call, Call::default()] }
    }

    #[test]
    fn what_nobody_orders_any_more_is_lacking_no_more() {
        let mut orders = Orders::default();
        let mut hear = |venue: u32, now: &[&str]| {
            let changes = orders.hear(&ask(venue, now), |_, card| card.sha256 == "wrong");
            changes.into_iter().map(|((_, sha256), lacking)| (sha256, lacking)).collect::<Vec<_>>()
        };
        assert_eq!(hear(0, &["wrong", "old"]), [("wrong".to_owned(), true)]);
        assert_eq!(hear(1, &["wrong", "old"]), []);
        assert_eq!(hear(0, &["right", "old"]), [], "the other venue still orders it");
        assert_eq!(hear(1, &["right", "old"]), [("wrong".to_owned(), false)]);
        assert_eq!(hear(1, &["wrong"]), [("wrong".to_owned(), true)], "and once more");
    }

    #[test]
    fn what_has_come_is_lacking_no_more() {
        let mut orders = Orders::default();
        assert_eq!(orders.hear(&ask(0, &["new"]), |_, _| true).len(), 1);
        assert_eq!(orders.hear(&ask(0, &["new"]), |_, _| false), [((Role::Flow, "new".to_owned()), false)]);
    }
}
