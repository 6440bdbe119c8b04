//! Liveness asks nothing; readiness tells the truth.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use serde_json::json;
use sqlx::PgPool;

use crate::bus::Bus;

type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

type Watch = Arc<dyn Fn() -> bool + Send + Sync>;

/// What a process needs to do its work, and what else should be well.
#[derive(Clone, Default)]
pub struct Health {
    checks: Vec<(String, Check)>,
    watched: Vec<(&'static str, Watch)>,
    draining: Arc<AtomicBool>,
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.checks.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Health {
    /// Needs the database.
    pub fn needs_database(&mut self, service: &str, pool: &PgPool) {
        let pool = pool.clone();
        self.needs(format!("{service} database"), move || {
            let pool = pool.clone();
            async move {
                let ping = sqlx::query("SELECT 1").execute(&pool);
                matches!(
                    tokio::time::timeout(Duration::from_secs(2), ping).await,
                    Ok(Ok(_))
                )
            }
        });
    }

    /// Needs the bus.
    pub fn needs_bus(&mut self, service: &str, bus: &Bus) {
        let bus = bus.clone();
        self.needs(format!("{service} bus"), move || {
            let connected = bus.is_connected();
            async move { connected }
        });
    }

    fn needs<F>(&mut self, name: String, check: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = bool> + Send + 'static,
    {
        self.checks
            .push((name, Arc::new(move || Box::pin(check()))));
    }

    /// Watches something without which the rest of the work goes on: it is told, and takes nothing from readiness.
    pub fn watches(
        &mut self,
        what: &'static str,
        is_well: impl Fn() -> bool + Send + Sync + 'static,
    ) {
        self.watched.push((what, Arc::new(is_well)));
    }

    /// What is watched and not well.
    fn impaired(&self) -> Vec<&'static str> {
        let not_well = self.watched.iter().filter(|(_, is_well)| !is_well());
        not_well.map(|(what, _)| *what).collect()
    }

    /// From now on the process takes no new work.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// What is missing; empty when ready.
    pub async fn missing(&self) -> Vec<String> {
        let checks = self
            .checks
            .iter()
            .map(|(name, check)| async move { (!check().await).then(|| name.clone()) });
        let mut missing: Vec<String> = futures::future::join_all(checks)
            .await
            .into_iter()
            .flatten()
            .collect();
        if self.draining.load(Ordering::Relaxed) {
            missing.push("shutting down".to_owned());
        }
        missing
    }
}

/// `GET /health/live`
pub(crate) async fn live() -> impl IntoResponse {
    Json(json!({ "live": true }))
}

/// `GET /health/ready`
pub(crate) async fn ready(State(health): State<Health>) -> impl IntoResponse {
    let missing = health.missing().await;
    let status = if missing.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(json!({
            "ready": missing.is_empty(),
            "missing": missing,
            "impaired": health.impaired(),
        })),
    )
}
