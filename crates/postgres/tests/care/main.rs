//! Connections that are lost, and workers' signs of life that have to come through whatever happens.

mod beats;
mod outage;
mod proxy;
mod scene;
