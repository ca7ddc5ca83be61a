//! The nights of several venues as one stream, in the order of receipt.

use super::{Night, Options, SimError, SimRecord, Truth};
use crate::venue::{VenueId, World};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Several venues' nights, merged.
pub struct Nights {
    nights: Vec<Night>,
    /// The next record of each night that has one.
    heads: Vec<Option<SimRecord>>,
    order: BinaryHeap<Reverse<(i64, usize)>>,
}

impl Nights {
    /// The nights of these matches, each a venue and its match's id. A venue's night is the same alone and in company.
    ///
    /// # Errors
    /// When one of them cannot be simulated, or none was asked for.
    pub fn new(world: &World, matches: &[(VenueId, &str)], seed: u64, options: &Options) -> Result<Self, SimError> {
        if matches.is_empty() {
            return Err(SimError::NoMatch);
        }
        let nights = matches.iter().map(|(venue, id)| Night::new(world, *venue, id, seed, options)).collect::<Result<Vec<_>, _>>()?;
        let mut all = Self { heads: nights.iter().map(|_| None).collect(), nights, order: BinaryHeap::new() };
        for night in 0..all.nights.len() {
            all.draw(night);
        }
        Ok(all)
    }

    /// The nights of every venue's first match.
    ///
    /// # Errors
    /// When one of them cannot be simulated, or no venue has a match.
    pub fn of_world(world: &World, seed: u64, options: &Options) -> Result<Self, SimError> {
        let first = |(index, venue): (usize, &'_ crate::venue::Venue)| venue.matches.first().map(|game| (VenueId::from(index), game.id.clone()));
        let matches: Vec<(VenueId, Box<str>)> = world.venues.iter().enumerate().filter_map(first).collect();
        let matches: Vec<(VenueId, &str)> = matches.iter().map(|(venue, id)| (*venue, &**id)).collect();
        Self::new(world, &matches, seed, options)
    }

    /// What really happened, by night.
    pub fn truths(&self) -> impl Iterator<Item = &Truth> {
        self.nights.iter().map(Night::truth)
    }

    /// The first instant of the first night and the last of the last, epoch ms.
    pub fn span_ms(&self) -> (i64, i64) {
        let spans = self.nights.iter().map(Night::span_ms);
        spans.fold((i64::MAX, i64::MIN), |(from, to), (start, end)| (from.min(start), to.max(end)))
    }

    fn draw(&mut self, night: usize) {
        self.heads[night] = self.nights[night].next();
        if let Some(record) = &self.heads[night] {
            self.order.push(Reverse((record.received, night)));
        }
    }
}

impl Iterator for Nights {
    type Item = SimRecord;

    fn next(&mut self) -> Option<SimRecord> {
        let Reverse((_, night)) = self.order.pop()?;
        let record = self.heads[night].take();
        self.draw(night);
        record
    }
}
