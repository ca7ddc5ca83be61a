//! What the operation itself says: events of the match, plans, commands of operators, and a source's word that nothing earlier is to come.

pub mod command;
pub mod low_water;
pub mod match_event;
pub mod plan;
