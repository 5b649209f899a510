CREATE TABLE lease(
    name TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE plugin_kv(
    plugin TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value BYTEA NOT NULL,
    PRIMARY KEY(plugin, key)
);

-- What a plugin's keys and values take together, so that a write need not add them up.
CREATE TABLE plugin_kv_usage(
    plugin TEXT COLLATE "C" PRIMARY KEY,
    bytes BIGINT NOT NULL
);
