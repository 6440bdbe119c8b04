//! The simulated municipality's eight departments, and what its citizens come with. All of it is made up.

/// A department, as the contact centre sees it.
#[derive(Debug)]
pub(super) struct Department {
    /// The label in the API.
    pub(super) label: &'static str,
    /// The phone queue of those who choose the department in the menu; the switchboard where it has none of its own.
    pub(super) queue: &'static str,
    /// How often it is asked for, against the other departments.
    pub(super) weight: u32,
    pub(super) case_types: &'static [CaseType],
}

/// A case type, with the agreement's depth: how much of it the centre resolves itself.
#[derive(Debug)]
pub(super) struct CaseType {
    /// The label in the API.
    pub(super) label: &'static str,
    /// 1 to 6; 5 and 6 are the department's, so the centre never resolves them.
    pub(super) rosa_group: u8,
    /// How often it comes, against the department's other case types.
    pub(super) weight: u32,
    /// The share resolved at the centre.
    pub(super) resolved: f64,
    /// The share that cannot wait.
    pub(super) urgent: f64,
    /// The secrecy zone of its cases.
    pub(super) zone: Option<&'static str>,
    pub(super) texts: &'static [&'static str],
}

/// The secrecy zone of the social services' cases.
const SOCIAL_ZONE: Option<&str> = Some("social");

/// The switchboard's queue.
pub(super) const SWITCHBOARD: &str = "vaxel";
/// What a burst water main makes people call about; it is also an ordinary, rare, case type.
pub(super) const LEAK: &str = "vattenlacka";

/// The departments whose own systems close cases over the bus; the others' officers use the case page.
pub(super) fn with_systems() -> Vec<domain::Department> {
    labels(&["bygg", "skola", "vard", "gata", "miljo"])
}

/// The departments whose officers use the case page.
pub(super) fn by_mail() -> Vec<domain::Department> {
    labels(&["social", "kultur", "kansli"])
}

fn labels(labels: &[&str]) -> Vec<domain::Department> {
    labels
        .iter()
        .filter_map(|label| label.parse().ok())
        .collect()
}

const fn case_type(
    label: &'static str,
    rosa_group: u8,
    weight: u32,
    resolved: f64,
    texts: &'static [&'static str],
) -> CaseType {
    CaseType {
        label,
        rosa_group,
        weight,
        resolved,
        urgent: 0.005,
        zone: None,
        texts,
    }
}

/// The eight departments. One line for each text, to be read as the table it is.
#[rustfmt::skip]
pub(super) const DEPARTMENTS: &[Department] = &[
    Department { label: "bygg", queue: "bygg", weight: 16, case_types: &[
        case_type("bygglov", 4, 6, 0.74, &[
            "Undrar vilka handlingar som behövs för att bygga ett uterum.",
            "Vill veta om det krävs bygglov för ett plank mot gatan.",
            "Frågar hur långt ansökan om bygglov för ett garage har kommit.",
        ]),
        case_type("attefallshus", 2, 3, 0.88, &[
            "Hur stort får ett attefallshus vara och hur nära tomtgränsen?",
            "Behöver man göra en anmälan för ett attefallshus på 25 kvadratmeter?",
        ]),
        case_type("nybyggnadskarta", 3, 2, 0.74, &[
            "Vill beställa en nybyggnadskarta till sin ansökan.",
            "Undrar vad en nybyggnadskarta kostar och när den kan vara klar.",
        ]),
        case_type("tillsyn-bygg", 5, 2, 0.0, &[
            "Grannens tillbyggnad tycks större än lovet medger.",
            "Ett övergivet hus står öppet och barn leker där.",
        ]),
    ] },
    Department { label: "skola", queue: "skola", weight: 17, case_types: &[
        case_type("forskoleplats", 4, 5, 0.84, &[
            "Vill ställa barnet i kö till förskola från augusti.",
            "Undrar vilken plats i kön barnet har.",
            "Vill säga upp sin förskoleplats.",
        ]),
        case_type("skolval", 2, 3, 0.86, &[
            "När ska skolvalet vara gjort och hur gör man?",
            "Vill ändra sitt skolval efter en flytt.",
        ]),
        case_type("skolskjuts", 4, 3, 0.72, &[
            "Vill ansöka om skolskjuts för höstterminen.",
            "Skolbussen kom inte till hållplatsen i morse.",
        ]),
        case_type("barnomsorgsavgift", 3, 2, 0.84, &[
            "Fakturan för förskolan stämmer inte med inkomsten.",
            "Vill anmäla ny inkomst för barnomsorgsavgiften.",
        ]),
        case_type("stod-i-skolan", 6, 1, 0.0, &[
            "Förälder vill ha ett möte om extra stöd i skolan.",
        ]),
    ] },
    Department { label: "social", queue: "social", weight: 11, case_types: &[
        case_type("ekonomiskt-bistand", 3, 4, 0.64, &[
            "Vill veta hur man ansöker om ekonomiskt bistånd.",
            "Undrar när utbetalningen kommer.",
        ]),
        case_type("budget-och-skuld", 2, 2, 0.86, &[
            "Vill boka tid hos budget- och skuldrådgivningen.",
            "Frågar om skuldsanering och vem som kan hjälpa till.",
        ]),
        CaseType { urgent: 0.25, zone: SOCIAL_ZONE, ..case_type("orosanmalan", 6, 1, 0.0, &[
            "Vill göra en orosanmälan; uppgifterna lämnas till mottagningen.",
            "Är orolig för ett barn i grannskapet och vill tala med mottagningen.",
        ]) },
        CaseType { zone: SOCIAL_ZONE, ..case_type("handlaggare-social", 5, 2, 0.0, &[
            "Söker sin handläggare, som inte har ringt tillbaka.",
            "Vill lämna kompletterande uppgifter till sin handläggare.",
        ]) },
    ] },
    Department { label: "vard", queue: SWITCHBOARD, weight: 12, case_types: &[
        case_type("hemtjanst", 3, 4, 0.68, &[
            "Vill ansöka om hemtjänst för en anhörig.",
            "Hemtjänsten kom inte på avtalad tid.",
        ]),
        case_type("trygghetslarm", 4, 3, 0.82, &[
            "Vill ansöka om trygghetslarm.",
            "Trygghetslarmet piper och batteriet behöver bytas.",
        ]),
        case_type("fardtjanst", 4, 3, 0.84, &[
            "Undrar hur man söker färdtjänst.",
            "Vill förlänga sitt tillstånd för färdtjänst.",
        ]),
        case_type("sarskilt-boende", 6, 1, 0.0, &[
            "Anhörig undrar hur bedömningen av särskilt boende går till och vill bli uppringd.",
        ]),
    ] },
    Department { label: "gata", queue: SWITCHBOARD, weight: 17, case_types: &[
        case_type("felanmalan-gata", 4, 5, 0.66, &[
            "En djup grop i vägbanan vid busshållplatsen.",
            "Gatubelysningen är släckt längs hela gångvägen.",
            "Det är inte sandat på cykelbanan.",
        ]),
        case_type("parkering", 2, 4, 0.92, &[
            "Var får man parkera med boendekort?",
            "Vill ansöka om parkeringstillstånd för rörelsehindrad.",
        ]),
        CaseType { urgent: 0.25, ..case_type(LEAK, 3, 1, 0.30, &[
            "Det rinner vatten upp genom gatan.",
            "Inget vatten i kranen sedan en stund, när är det tillbaka?",
            "Vattnet är brunt, går det att dricka?",
        ]) },
        case_type("va-abonnemang", 3, 3, 0.82, &[
            "Vill anmäla ägarbyte för vatten och avlopp.",
            "Vattenräkningen är mycket högre än förra gången.",
        ]),
        case_type("park-och-trad", 5, 1, 0.0, &[
            "Ett träd lutar farligt över lekplatsen.",
            "Vill att kommunen gallrar träden bakom tomten.",
        ]),
    ] },
    Department { label: "kultur", queue: SWITCHBOARD, weight: 9, case_types: &[
        case_type("boka-lokal", 4, 4, 0.92, &[
            "Vill boka en idrottshall på torsdagar.",
            "Behöver ändra en bokning av en föreningslokal.",
        ]),
        case_type("simhall", 1, 3, 0.97, &[
            "Vilka tider är simhallen öppen på lovet?",
            "Vad kostar simskolan och när öppnar anmälan?",
        ]),
        case_type("foreningsbidrag", 5, 2, 0.0, &[
            "Föreningen undrar hur ansökan om bidrag går till och vill lämna uppgifter.",
        ]),
    ] },
    Department { label: "miljo", queue: SWITCHBOARD, weight: 10, case_types: &[
        case_type("avfall", 2, 5, 0.90, &[
            "Sopkärlet har inte tömts den här veckan.",
            "Vad får man lämna på återvinningscentralen?",
            "Vill byta till ett mindre kärl.",
        ]),
        case_type("enskilt-avlopp", 5, 2, 0.0, &[
            "Undrar om avloppet vid fritidshuset måste göras om.",
            "Vill ansöka om tillstånd för ny avloppsanläggning.",
        ]),
        case_type("livsmedel", 3, 2, 0.68, &[
            "Ska öppna ett kafé, hur registrerar man verksamheten?",
            "Blev magsjuk efter ett restaurangbesök.",
        ]),
        case_type("buller", 6, 1, 0.0, &[
            "Störs av fläktbuller från grannfastigheten om nätterna.",
        ]),
    ] },
    Department { label: "kansli", queue: SWITCHBOARD, weight: 8, case_types: &[
        case_type("faktura", 3, 3, 0.84, &[
            "Har fått en faktura som redan är betald.",
            "Behöver anstånd med en faktura.",
        ]),
        case_type("allman-handling", 4, 2, 0.62, &[
            "Vill begära ut ett protokoll från nämnden.",
            "Vill läsa handlingarna i ett avslutat ärende.",
        ]),
        case_type("kommuninformation", 1, 4, 0.96, &[
            "Vem ska man tala med om sin fråga?",
            "Vilka öppettider har reception och telefon i veckan?",
        ]),
        case_type("medborgarforslag", 5, 1, 0.0, &[
            "Vill lämna ett medborgarförslag om en ny gångväg.",
        ]),
    ] },
];
