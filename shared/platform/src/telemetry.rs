//! Logs without personal data, and traces.

use std::io::IsTerminal;

use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// How to log and trace.
#[derive(Debug, Clone)]
pub struct Telemetry<'a> {
    /// What to log, such as `info` or `info,relay=debug`.
    pub log: &'a str,
    /// JSON lines rather than text.
    pub json: bool,
    /// Where to send traces by OTLP over HTTP, such as `http://127.0.0.1:4318`; nowhere when `None`.
    pub otlp_endpoint: Option<&'a str>,
    /// The share of requests traced, 0-1, where the caller does not say.
    pub sample: f64,
}

/// Sends what is left when dropped.
#[derive(Debug)]
pub struct Guard(Option<SdkTracerProvider>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take() {
            let _ = provider.shutdown();
        }
    }
}

/// Starts logging to standard error, and tracing.
///
/// # Errors
/// When the log filter or the endpoint cannot be understood.
pub fn start(telemetry: &Telemetry<'_>) -> anyhow::Result<Guard> {
    // The client's own words on connections repeat ours; what is asked for by name still comes.
    let filter: EnvFilter = format!("async_nats=warn,{}", telemetry.log)
        .parse()
        .map_err(|e| {
            anyhow::anyhow!(
                "log: `{}` is no log filter ({e}); try `info`",
                telemetry.log
            )
        })?;
    let output = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let output = if telemetry.json {
        output.json().flatten_event(true).boxed()
    } else {
        output.compact().with_target(false).boxed()
    };
    let registry = tracing_subscriber::registry().with(output.with_filter(filter));
    let Some(endpoint) = telemetry.otlp_endpoint else {
        registry.try_init()?;
        return Ok(Guard(None));
    };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
            telemetry.sample,
        ))))
        .with_resource(Resource::builder().with_service_name("kommunlots").build())
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("kommunlots"))
        .with_filter(EnvFilter::new("info,hyper=off,reqwest=off,async_nats=off"));
    registry.with(layer).try_init()?;
    Ok(Guard(Some(provider)))
}

/// The current span as a `traceparent`, where it is being traced.
pub fn traceparent() -> Option<String> {
    traceparent_of(&tracing::Span::current())
}

/// A span as a `traceparent`, where it is being traced.
pub fn traceparent_of(span: &tracing::Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let context = span.span_context();
    (context.is_valid() && context.is_sampled()).then(|| {
        format!(
            "00-{}-{}-{:02x}",
            context.trace_id(),
            context.span_id(),
            context.trace_flags().to_u8()
        )
    })
}

/// Makes `span` a child of what `traceparent` names.
pub fn continue_from(span: &tracing::Span, traceparent: &str) {
    struct Header<'a>(&'a str);
    impl Extractor for Header<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            (key == "traceparent").then_some(self.0)
        }
        fn keys(&self) -> Vec<&str> {
            vec!["traceparent"]
        }
    }
    let parent =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &Header(traceparent));
    // Fails only where nothing traces.
    let _ = span.set_parent(parent);
}
