//! axe-core: what machines can find of what keeps people from reading the page.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::browser_driver::Browser;

/// A wall screen, and a guide's telephone.
const SIZES: [(u32, u32); 2] = [(1920, 1080), (390, 844)];
/// The page chooses by the product's clock; here it is held, so that both are looked at at any hour.
const THEMES: [&str; 2] = ["day", "night"];

const HOLD_THEME: &str = "
    const root = document.documentElement;
    window.heldTheme?.disconnect();
    const hold = () => { if (root.dataset.theme !== arguments[0]) root.dataset.theme = arguments[0]; };
    window.heldTheme = new MutationObserver(hold);
    window.heldTheme.observe(root, { attributes: true });
    hold();";

const AXE: &str = "
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    return axe.run(document, { runOnly: { type: 'tag', values: tags } }).then(({ violations, passes }) => ({
      passes: passes.length,
      violations: violations.map((v) => ({
        rule: v.id, help: v.help, at: v.nodes.map((n) => n.target.join(' ') + ': ' + n.failureSummary),
      })),
    }));";

/// The file that `tests/run` fetched.
fn axe() -> anyhow::Result<String> {
    let file = std::env::var_os("KOMMUNLOTS_TEST_AXE")
        .map(PathBuf::from)
        .or_else(in_the_cache)
        .context("axe-core is missing; run tests/run, which fetches it")?;
    std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// Where an earlier run has put it, for `cargo test`.
fn in_the_cache() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|v| !v.is_empty());
    let tools = variable("KOMMUNLOTS_TOOLS")
        .map(PathBuf::from)
        .or_else(|| {
            let cache = variable("XDG_CACHE_HOME").map(PathBuf::from);
            let cache = cache.or_else(|| Some(Path::new(&variable("HOME")?).join(".cache")))?;
            Some(cache.join("kommunlots"))
        })?;
    let pin = include_str!("../tools/axe.txt");
    let name = pin.lines().find(|l| l.contains("=="))?.split(' ').next()?;
    let file = tools
        .join(name.replace("==", "-"))
        .join("axe_playwright_python/axe.min.js");
    file.exists().then_some(file)
}

/// That axe-core finds nothing, at each size and in each theme, with the table closed and open, and that the page is
/// still in `state` at the end of it.
pub(crate) async fn finds_nothing(browser: &Browser, state: &str) -> anyhow::Result<()> {
    browser.run(&axe()?, &[]).await?;
    for (width, height) in SIZES {
        browser.size(width, height).await?;
        for theme in THEMES {
            browser.run(HOLD_THEME, &[json!(theme)]).await?;
            for open in [false, true] {
                browser
                    .run(
                        "document.querySelector('#table').open = arguments[0]",
                        &[json!(open)],
                    )
                    .await?;
                let found = browser.run(AXE, &[]).await?;
                ensure!(found["passes"].as_u64() > Some(0), "axe looked at nothing");
                let table = if open { "table" } else { "board" };
                browser
                    .picture(&format!("{state}-{width}-{theme}-{table}"))
                    .await?;
                assert_eq!(
                    found["violations"],
                    Value::Array(Vec::new()),
                    "{state}, {width}x{height}, {theme}, {table}: {:#}",
                    found["violations"]
                );
            }
        }
    }
    browser
        .run(
            "document.querySelector('#table').open = false; window.heldTheme.disconnect()",
            &[],
        )
        .await?;
    ensure!(browser.freshness().await? == state, "no longer {state}");
    Ok(())
}

/// A telephone, and a desk.
const PAGE_SIZES: [(u32, u32); 2] = [(390, 844), (1280, 900)];
/// A page of text must fit into this width too (WCAG 2.2, 1.4.10).
const NARROWEST: (u32, u32) = (320, 640);

/// That axe-core finds nothing on a page of text, in light and in dark, with all open that can be opened, and that nobody
/// must scroll sideways.
pub(crate) async fn finds_nothing_on_a_page(browser: &Browser, name: &str) -> anyhow::Result<()> {
    browser.run(&axe()?, &[]).await?;
    let too_wide = async |place: &str| {
        let page =
            "const page = document.documentElement; return page.scrollWidth - page.clientWidth";
        assert_eq!(browser.run(page, &[]).await?, 0, "{place} is too wide");
        anyhow::Ok(())
    };
    for (width, height) in PAGE_SIZES {
        browser.size(width, height).await?;
        for scheme in ["light", "dark"] {
            let place = format!("{name}-{width}-{scheme}");
            browser.colours(scheme).await?;
            browser.picture(&place).await?;
            too_wide(&place).await?;
            browser
                .run(
                    "document.querySelectorAll('details').forEach((d) => { d.open = true; })",
                    &[],
                )
                .await?;
            let found = browser.run(AXE, &[]).await?;
            ensure!(found["passes"].as_u64() > Some(0), "axe looked at nothing");
            assert_eq!(
                found["violations"],
                Value::Array(Vec::new()),
                "{place}: {:#}",
                found["violations"]
            );
            too_wide(&place).await?;
        }
    }
    browser.size(NARROWEST.0, NARROWEST.1).await?;
    too_wide(name).await
}
