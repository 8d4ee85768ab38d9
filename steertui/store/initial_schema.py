"""Statements of the first migration: tables, and views for reading them with other tools."""

TABLES = """
CREATE TABLE models (
    sha256 TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    title TEXT NOT NULL,
    architecture TEXT NOT NULL,
    description TEXT NOT NULL,
    parameters INTEGER NOT NULL,
    template_sha256 TEXT NOT NULL,
    template TEXT NOT NULL
);
CREATE TABLE scenarios (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    title TEXT NOT NULL,
    task TEXT NOT NULL,
    system TEXT NOT NULL
);
CREATE TABLE conditions (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    suffix TEXT NOT NULL,
    about TEXT NOT NULL
);
CREATE TABLE prompts (
    sha256 TEXT PRIMARY KEY,
    text TEXT NOT NULL
);
CREATE TABLE trials (
    key TEXT PRIMARY KEY,
    model TEXT NOT NULL REFERENCES models(sha256),
    scenario TEXT NOT NULL REFERENCES scenarios(id),
    condition TEXT NOT NULL REFERENCES conditions(id),
    prompt TEXT NOT NULL REFERENCES prompts(sha256),
    sampling TEXT NOT NULL,
    temperature REAL NOT NULL,
    sample INTEGER NOT NULL,
    planned_at TEXT NOT NULL
);
CREATE INDEX trials_by_cell ON trials (model, condition, scenario);
CREATE TABLE experiments (
    id TEXT PRIMARY KEY,
    toml TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE experiment_trials (
    experiment TEXT NOT NULL REFERENCES experiments(id),
    trial TEXT NOT NULL REFERENCES trials(key),
    place INTEGER NOT NULL,
    PRIMARY KEY (experiment, trial)
) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    experiment TEXT NOT NULL REFERENCES experiments(id),
    started_at TEXT NOT NULL,
    versions TEXT NOT NULL,
    device TEXT NOT NULL,
    settings TEXT NOT NULL
);
CREATE TABLE generations (
    id INTEGER PRIMARY KEY,
    trial TEXT NOT NULL UNIQUE REFERENCES trials(key),
    run INTEGER NOT NULL REFERENCES runs(id),
    text TEXT NOT NULL,
    reasoning TEXT NOT NULL,
    answer TEXT NOT NULL,
    stop TEXT NOT NULL CHECK (stop IN ('stop', 'length')),
    prompt_tokens INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    seconds REAL NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE failures (
    id INTEGER PRIMARY KEY,
    trial TEXT NOT NULL REFERENCES trials(key),
    run INTEGER NOT NULL REFERENCES runs(id),
    reason TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX failures_by_trial ON failures (trial);
CREATE TABLE judges (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    settings TEXT NOT NULL
);
CREATE TABLE verdicts (
    id INTEGER PRIMARY KEY,
    trial TEXT NOT NULL REFERENCES trials(key),
    judge TEXT NOT NULL REFERENCES judges(id),
    label TEXT CHECK (label IN
        ('convergence', 'no_convergence', 'safety_refusal', 'nonsensical')),
    failure TEXT NOT NULL,
    p_convergence REAL,
    p_no_convergence REAL,
    p_safety_refusal REAL,
    p_nonsensical REAL,
    reason TEXT NOT NULL,
    seconds REAL NOT NULL,
    created_at TEXT NOT NULL,
    CHECK ((label IS NULL) <> (failure = ''))
);
CREATE UNIQUE INDEX one_label_a_judge ON verdicts (judge, trial) WHERE label IS NOT NULL;
CREATE INDEX verdicts_by_trial ON verdicts (trial, judge);
"""

# current_verdicts: one row per trial and judge: its label, or its last failure if it never gave a
# label. The other views are by experiment, because answers with other settings are never pooled.
VIEWS = """
CREATE VIEW current_verdicts AS
    SELECT * FROM verdicts AS v
    WHERE label IS NOT NULL OR id = (
        SELECT max(w.id) FROM verdicts AS w
        WHERE w.trial = v.trial AND w.judge = v.judge
        HAVING count(w.label) = 0
    );
CREATE VIEW answers AS
    SELECT e.experiment, t.key, t.model AS model_sha256, m.name AS model, s.name AS scenario,
        s.category, c.name AS condition, t.temperature, t.sample, v.judge, v.label, v.failure,
        v.p_convergence, g.answer, g.reasoning, g.stop, g.tokens, p.text AS prompt
    FROM experiment_trials AS e
    JOIN trials AS t ON t.key = e.trial
    JOIN models AS m ON m.sha256 = t.model
    JOIN scenarios AS s ON s.id = t.scenario
    JOIN conditions AS c ON c.id = t.condition
    JOIN prompts AS p ON p.sha256 = t.prompt
    LEFT JOIN generations AS g ON g.trial = t.key
    LEFT JOIN current_verdicts AS v ON v.trial = t.key;
CREATE VIEW rates AS
    SELECT experiment, judge, model_sha256, model, temperature, condition,
        count(label) AS judged,
        sum(label <> 'nonsensical') AS valid,
        sum(label = 'convergence') AS convergence,
        round(100.0 * sum(label = 'convergence')
            / nullif(sum(label <> 'nonsensical'), 0), 2) AS convergence_percent,
        round(100.0 * sum(label = 'safety_refusal')
            / nullif(sum(label <> 'nonsensical'), 0), 2) AS refusal_percent,
        round(100.0 * sum(label = 'nonsensical') / nullif(count(label), 0), 2)
            AS nonsense_percent
    FROM answers WHERE judge IS NOT NULL
    GROUP BY experiment, judge, model_sha256, temperature, condition;
CREATE VIEW gaps AS
    SELECT p.experiment, p.judge, p.model, p.temperature,
        p.convergence_percent AS pro_percent,
        a.convergence_percent AS anti_percent,
        round(100.0 * p.convergence / nullif(p.valid, 0)
            - 100.0 * a.convergence / nullif(a.valid, 0), 2) AS gap_points
    FROM rates AS p
    JOIN rates AS a USING (experiment, judge, model_sha256, temperature)
    WHERE p.condition = 'pro' AND a.condition = 'anti';
"""
