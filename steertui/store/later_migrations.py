"""Statements of the migrations after the first."""

REPLIES = """
CREATE TABLE replies (
    id INTEGER PRIMARY KEY,
    judge TEXT NOT NULL REFERENCES judges(id),
    trial TEXT REFERENCES trials(key),
    way TEXT NOT NULL,
    model TEXT NOT NULL,
    request TEXT NOT NULL,
    text TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    dollars REAL,
    created_at TEXT NOT NULL
);
CREATE INDEX replies_by_judge ON replies (judge, trial);
CREATE TABLE batches (
    mark TEXT PRIMARY KEY,
    judge TEXT NOT NULL REFERENCES judges(id),
    experiment TEXT NOT NULL REFERENCES experiments(id),
    id TEXT NOT NULL,
    requests INTEGER NOT NULL,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL
);
"""

# A person may label a trial again; the last label is in use.
LAST_LABEL = """
DROP INDEX one_label_a_judge;
CREATE UNIQUE INDEX one_label_a_judge ON verdicts (judge, trial)
    WHERE label IS NOT NULL AND judge NOT LIKE 'human:%';
DROP VIEW current_verdicts;
CREATE VIEW current_verdicts AS
    SELECT * FROM verdicts AS v WHERE id = (
        SELECT coalesce(max(CASE WHEN w.label IS NOT NULL THEN w.id END), max(w.id))
        FROM verdicts AS w WHERE w.trial = v.trial AND w.judge = v.judge
    );
"""

# Origin of answers that a server wrote.
DELIVERIES = """
CREATE TABLE deliveries (
    trial TEXT PRIMARY KEY REFERENCES trials(key),
    url TEXT NOT NULL,
    form TEXT NOT NULL CHECK (form IN ('prompt', 'messages')),
    model TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    request TEXT NOT NULL,
    tries INTEGER NOT NULL
);
"""

# readings: log-likelihoods of the labels before any correction; in turn t the rubric's list begins
# with label t. batch_items: the trials of a batch. hand_queue: the order in which a person received
# an answer; only a random order is a random sample.
READINGS = """
CREATE TABLE readings (
    judge TEXT NOT NULL REFERENCES judges(id),
    trial TEXT NOT NULL REFERENCES trials(key),
    turn INTEGER NOT NULL,
    l_convergence REAL NOT NULL,
    l_no_convergence REAL NOT NULL,
    l_safety_refusal REAL NOT NULL,
    l_nonsensical REAL NOT NULL,
    PRIMARY KEY (judge, trial, turn)
) WITHOUT ROWID;
CREATE TABLE batch_items (
    mark TEXT NOT NULL REFERENCES batches(mark),
    trial TEXT NOT NULL REFERENCES trials(key),
    PRIMARY KEY (mark, trial)
) WITHOUT ROWID;
CREATE TABLE hand_queue (
    judge TEXT NOT NULL REFERENCES judges(id),
    trial TEXT NOT NULL REFERENCES trials(key),
    queue TEXT NOT NULL CHECK (queue IN ('doubtful', 'random')),
    PRIMARY KEY (judge, trial)
) WITHOUT ROWID;
ALTER TABLE batches ADD COLUMN api TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN way TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN said TEXT NOT NULL DEFAULT '';
"""

# reference: the judge whose labels defined the strata of the queue, '' for none.
REFERENCES = """
ALTER TABLE hand_queue ADD COLUMN reference TEXT NOT NULL DEFAULT 'unknown';
"""

# Repeated plans of the same trials, for example with another judge. The newest plan decides which
# experiment is the newest.
PLANNINGS = """
CREATE TABLE plannings (
    experiment TEXT NOT NULL REFERENCES experiments(id),
    toml TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (experiment, created_at)
) WITHOUT ROWID;
INSERT INTO plannings SELECT id, toml, created_at FROM experiments;
"""

# Key columns first. Otherwise integrity_check of SQLite 3.40 confuses columns of a table without
# row ids and reports a NULL value where there is none.
PLANNINGS_IN_ORDER = """
ALTER TABLE plannings RENAME TO plannings_before;
CREATE TABLE plannings (
    experiment TEXT NOT NULL REFERENCES experiments(id),
    created_at TEXT NOT NULL,
    toml TEXT NOT NULL,
    PRIMARY KEY (experiment, created_at)
) WITHOUT ROWID;
INSERT INTO plannings SELECT experiment, created_at, toml FROM plannings_before;
DROP TABLE plannings_before;
"""

# spec: canonical JSON of a condition's interventions beside its suffix, '' for none. steering: JSON
# of the interventions on activations and weights, resolved for the trial's model, '' for none.
INTERVENTIONS = """
ALTER TABLE conditions ADD COLUMN spec TEXT NOT NULL DEFAULT '';
ALTER TABLE trials ADD COLUMN steering TEXT NOT NULL DEFAULT '';
"""

# Rows that a merge left out because they conflict with the database. about: the table. subject: key
# of the row; for an answer or a label, the key of its trial. left_out: the rows as JSON by table.
# id: hash of these, so that a repeated merge adds nothing.
CONFLICTS = """
CREATE TABLE conflicts (
    id TEXT PRIMARY KEY,
    about TEXT NOT NULL,
    subject TEXT NOT NULL,
    judge TEXT NOT NULL,
    left_out TEXT NOT NULL,
    source TEXT NOT NULL,
    found_at TEXT NOT NULL
);
CREATE INDEX conflicts_by_subject ON conflicts (subject, about);
"""

# Steering vectors that experiments of this database use: GGUF files.
VECTORS = """
CREATE TABLE vectors (
    sha256 TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    content BLOB NOT NULL,
    created_at TEXT NOT NULL
);
"""

# control_rereads: labels that a judge gave to control answers when it read them again. The views
# leave out the control set.
CONTROL = """
CREATE TABLE control_rereads (
    id INTEGER PRIMARY KEY,
    judge TEXT NOT NULL REFERENCES judges(id),
    trial TEXT NOT NULL REFERENCES trials(key),
    label TEXT NOT NULL CHECK (label IN
        ('convergence', 'no_convergence', 'safety_refusal', 'nonsensical')),
    created_at TEXT NOT NULL
);
CREATE INDEX control_rereads_by_judge ON control_rereads (judge, trial);
DROP VIEW answers;
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
    LEFT JOIN current_verdicts AS v ON v.trial = t.key
    WHERE m.backend <> 'control';
"""

# Log-likelihood of an answer under the unsteered model after the prompt in `prompt`, in nats, over
# all its tokens.
ANSWER_LOGLIKS = """
CREATE TABLE answer_logliks (
    trial TEXT PRIMARY KEY REFERENCES trials(key),
    prompt TEXT NOT NULL REFERENCES prompts(sha256),
    tokens INTEGER NOT NULL CHECK (tokens >= 0),
    loglik REAL NOT NULL CHECK (loglik <= 0 AND loglik > -1e300),
    created_at TEXT NOT NULL
) WITHOUT ROWID;
"""

# Times at which a person saw how far their labels agree with a judge's. Labels given before stay.
AGREEMENT_VIEWS = """
CREATE TABLE agreement_views (
    experiment TEXT NOT NULL REFERENCES experiments(id),
    judge TEXT NOT NULL REFERENCES judges(id),
    created_at TEXT NOT NULL,
    PRIMARY KEY (experiment, judge, created_at)
) WITHOUT ROWID;
"""

# The id of the condition in the views, since two experiments may have one name for two texts.
CONDITION_IDS = """
DROP VIEW gaps;
DROP VIEW rates;
DROP VIEW answers;
CREATE VIEW answers AS
    SELECT e.experiment, t.key, t.model AS model_sha256, m.name AS model, s.name AS scenario,
        s.category, c.name AS condition, t.condition AS condition_id,
        t.temperature, t.sample, v.judge, v.label, v.failure, v.p_convergence,
        g.answer, g.reasoning, g.stop, g.tokens, p.text AS prompt
    FROM experiment_trials AS e
    JOIN trials AS t ON t.key = e.trial
    JOIN models AS m ON m.sha256 = t.model
    JOIN scenarios AS s ON s.id = t.scenario
    JOIN conditions AS c ON c.id = t.condition
    JOIN prompts AS p ON p.sha256 = t.prompt
    LEFT JOIN generations AS g ON g.trial = t.key
    LEFT JOIN current_verdicts AS v ON v.trial = t.key
    WHERE m.backend <> 'control';
CREATE VIEW rates AS
    SELECT experiment, judge, model_sha256, model, temperature, condition,
        max(condition_id) AS condition_id, count(label) AS judged,
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
