-- Who wants to be told of what: each subscriber with the groups that it wants of a topic, as a JSON array that is empty
-- for all of them. It is kept so that what changes while the portal starts is told as well.
CREATE TABLE subscription(
    subscriber TEXT NOT NULL,
    topic TEXT NOT NULL,
    only_groups TEXT NOT NULL,
    PRIMARY KEY(subscriber, topic)
);

-- What is to be told: one row for each event and subscriber, which goes when it was delivered.
CREATE TABLE delivery(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- So that its name is never that of another one, whatever becomes of the database.
    nonce INTEGER NOT NULL,
    subscriber TEXT NOT NULL,
    topic TEXT NOT NULL,
    -- Those of one lane go one after the other.
    lane TEXT,
    headers TEXT,
    payload TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- Since when it waits: later than it happened, where somebody had it tried again.
    waits_since INTEGER NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0,
    -- Whether it goes alone: it was tried, or was in a batch that failed as a whole.
    tried INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- When it may be tried; of a dead one, when it was given up.
    due_at INTEGER NOT NULL,
    claimed_by TEXT,
    claimed_until INTEGER,
    error TEXT
);
CREATE INDEX delivery_due ON delivery(subscriber, tried, due_at, id) WHERE dead = 0;
CREATE INDEX delivery_lane ON delivery(subscriber, lane, id) WHERE dead = 0;
CREATE INDEX delivery_dead ON delivery(id) WHERE dead = 1;

-- What came by a webhook before, so that it is taken once.
CREATE TABLE received(
    source TEXT NOT NULL,
    mark TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY(source, mark)
);
CREATE INDEX received_at ON received(received_at);
