//! The integration tests, one binary: each module proves one promise at the lowest layer that can show its breach.

mod layers;
