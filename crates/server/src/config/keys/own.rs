//! The keys that have an effect.

use super::Key;
use super::Kind::*;

pub(super) const KEYS: &[Key] = &[
    Key::new("app", Mapping, "How the portal calls itself"),
    Key::new("app.title", Text, "The name in the page's header and title").default("Callboard"),
    Key::new("app.baseUrl", Url, "Where a browser finds the portal").default("`backend.baseUrl`"),
    Key::new("organization", Mapping, "Whose portal it is"),
    Key::new("organization.name", Text, "The organisation's name, for people"),
    Key::new("backend", Mapping, "The server"),
    Key::new("backend.baseUrl", Url, "The base of the URLs that the server writes")
        .default("`http://localhost:<port>`"),
    Key::new("backend.listen", TextOrMapping, "Where the server listens: `:7007`, `host:port` or `{ host, port }`")
        .default("`:7007`, on every interface"),
    Key::new("backend.listen.host", Text, "A name or an address").default("every interface"),
    Key::new("backend.listen.port", Number, "0 lets the system choose").default("7007"),
    Key::new(
        "backend.trustProxy",
        Any,
        "Which proxies in front of the portal may say, by `X-Forwarded-For`, where a request comes from: how many, or a \
         list of addresses, networks, `loopback`, `linklocal` and `uniquelocal`. It is what the audit log tells",
    )
    .default("none"),
    Key::new("backend.auth", Mapping, "Which programs may call"),
    Key::new("backend.auth.externalAccess", List, "The programs that may call, and what each shows").default("none"),
    Key::new("backend.auth.externalAccess[].type", Choice(&["static", "legacy", "jwks"]), "A fixed token, one that was signed with a shared secret, or one whose signer publishes keys").required(),
    Key::new("backend.auth.externalAccess[].options", Mapping, "What it shows").required(),
    Key::new("backend.auth.externalAccess[].options.token", Secret, "`static`: the token, of at least 8 characters"),
    Key::new("backend.auth.externalAccess[].options.secret", Secret, "`legacy`: the secret in base64"),
    Key::new("backend.auth.externalAccess[].options.subject", Text, "`static`, `legacy`: the program's name; it is known as `external:<subject>`"),
    Key::new("backend.auth.externalAccess[].options.url", Url, "`jwks`: where the signer's keys are"),
    Key::new("backend.auth.externalAccess[].options.algorithm", Any, "`jwks`: the algorithms that are accepted, a text or a list").default("all that have a public key"),
    Key::new("backend.auth.externalAccess[].options.issuer", Any, "`jwks`: who must have signed, a text or a list"),
    Key::new("backend.auth.externalAccess[].options.audience", Any, "`jwks`: for whom it must be, a text or a list"),
    Key::new("backend.auth.externalAccess[].options.subjectPrefix", Text, "`jwks`: what stands before the token's subject"),
    Key::new("backend.auth.externalAccess[].accessRestrictions", List, "All that they may do").default("everything, but what is for people only"),
    Key::new("backend.auth.externalAccess[].accessRestrictions[].plugin", Text, "The API: the beginning of its permissions' names, such as `catalog`").required(),
    Key::new("backend.auth.externalAccess[].accessRestrictions[].permission", Any, "Only these permissions, a text or a list").default("all of that API"),
    Key::new("backend.auth.externalAccess[].accessRestrictions[].permissionAttribute", Mapping, "Only permissions of a sort"),
    Key::new("backend.auth.externalAccess[].accessRestrictions[].permissionAttribute.action", Any, "Only those that let somebody `create`, `read`, `update` or `delete`, a text or a list"),
    Key::new("backend.database", Mapping, "Where the data is kept").default("`callboard.sqlite` in the data folder"),
    Key::new(
        "backend.database.client",
        Choice(&["better-sqlite3", "sqlite3", "sqlite", "pg"]),
        "SQLite, which is a file, or PostgreSQL, which several replicas may share",
    )
    .default("better-sqlite3"),
    Key::new(
        "backend.database.connection",
        TextOrMapping,
        "For SQLite `:memory:`, which forgets everything when the server stops, or `{ directory }`; for `pg` \
         `postgres://user:password@host:5432/database?sslmode=require`, or the keys below",
    ),
    Key::new("backend.database.connection.directory", Text, "The folder for `callboard.sqlite`"),
    Key::new(
        "backend.database.connection.connectionString",
        Secret,
        "PostgreSQL: all of it as a URL; the keys beside it win",
    ),
    Key::new("backend.database.connection.host", Text, "PostgreSQL: a name, an address, or the folder of a socket")
        .default("localhost"),
    Key::new("backend.database.connection.port", Number, "PostgreSQL: its port").default("5432"),
    Key::new("backend.database.connection.user", Text, "PostgreSQL: who we are there")
        .default("`PGUSER`, or the system's user"),
    Key::new("backend.database.connection.password", Secret, "PostgreSQL: the user's password")
        .default("`PGPASSWORD`, or none"),
    Key::new("backend.database.connection.database", Text, "PostgreSQL: the one database that everything is kept in")
        .default("`callboard` after the prefix; with `pluginDivisionMode: schema`, the one with the user's name"),
    Key::new("backend.database.connection.schema", Text, "PostgreSQL: the schema of all tables").default("callboard"),
    Key::new("backend.database.connection.application_name", Text, "PostgreSQL: our name in its list of connections")
        .default("callboard"),
    Key::new(
        "backend.database.connection.ssl",
        BooleanOrMapping,
        "PostgreSQL: `true` encrypts and verifies the server's certificate, `false` does neither",
    )
    .default("encrypted where the server offers it"),
    Key::new("backend.database.connection.ssl.ca", Text, "Who may have signed the server's certificate, as PEM")
        .default("the public authorities"),
    Key::new("backend.database.connection.ssl.cert", Text, "Our own certificate, as PEM"),
    Key::new("backend.database.connection.ssl.key", Secret, "Its key, as PEM"),
    Key::new(
        "backend.database.connection.ssl.rejectUnauthorized",
        Boolean,
        "`false` takes any certificate, so that whoever is in between can read along",
    )
    .default("true"),
    Key::new("backend.database.connection.ssl.require", Boolean, "The same as `ssl: true`"),
    Key::new("backend.database.prefix", Text, "PostgreSQL: what the name of a database begins with that is not named"),
    Key::new(
        "backend.database.pluginDivisionMode",
        Choice(&["database", "schema"]),
        "PostgreSQL: Callboard keeps everything in one schema of one database. `schema` never creates the database",
    )
    .default("database"),
    Key::new("backend.database.ensureExists", Boolean, "PostgreSQL: whether a database that is not there is created")
        .default("true"),
    Key::new("backend.database.ensureSchemaExists", Boolean, "PostgreSQL: whether the schema is created")
        .default("true"),
    Key::new("backend.database.role", Text, "PostgreSQL: a role to take on, which then owns what is created"),
    Key::new("backend.database.knexConfig", Mapping, "PostgreSQL: the connections"),
    Key::new("backend.database.knexConfig.pool", Mapping, "PostgreSQL: the connections"),
    Key::new(
        "backend.database.knexConfig.pool.max",
        Number,
        "PostgreSQL: connections of one replica. One writes, one listens, and the others read",
    )
    .default("10"),
    Key::new("backend.reading", Mapping, "What the server may read from the network"),
    Key::new(
        "backend.reading.allow",
        List,
        "The hosts that locations, placeholders and \"Try it out\" may be read from, beyond those of `integrations`",
    ),
    Key::new(
        "backend.reading.allow[].host",
        Text,
        "`example.com`, `example.com:8443`, `*.example.com`, or `*` for every public host. A host in a private network \
         is only reached when it is named itself",
    )
    .required(),
    Key::new("backend.reading.allow[].paths", Texts, "Prefixes, compared by whole segments").default("every path"),
    Key::new("backend.telemetry", Mapping, "Where traces are sent, by OpenTelemetry's protocol").default("none are sent"),
    Key::new(
        "backend.telemetry.endpoint",
        Url,
        "A receiver of OTLP over HTTP, such as `http://localhost:4318`. Traces go to `/v1/traces` below it",
    )
    .required(),
    Key::new("backend.telemetry.headers", Mapping, "What the receiver wants to see, such as a key"),
    Key::new("backend.telemetry.headers.*", Secret, "A header"),
    Key::new("backend.telemetry.sampling", Number, "Which share of the traces is sent, from 0 to 1").default("1"),
    Key::new("backend.telemetry.serviceName", Text, "What the portal is called there").default("callboard"),
    Key::new("integrations", Mapping, "Credentials for the systems that files are read from"),
    Key::new("integrations.awsS3", MappingOrList, "S3 and services that speak its protocol"),
    Key::new("integrations.awsS3[]", Mapping, "One S3 service"),
    Key::new("integrations.awsS3[].endpoint", Url, "The service's own URL").default("AWS"),
    Key::new(
        "integrations.awsS3[].s3ForcePathStyle",
        Boolean,
        "Whether the bucket stands in the path, not in the host",
    )
    .default("false"),
    Key::new("integrations.awsS3[].accessKeyId", Text, "A static key's id")
        .default("the standard AWS credential chain"),
    Key::new("integrations.awsS3[].secretAccessKey", Secret, "The static key"),
    Key::new("integrations.awsS3[].roleArn", Text, "A role to assume"),
    Key::new("integrations.awsS3[].externalId", Text, "The external id for that role"),
    Key::new("aws", Mapping, "AWS accounts, for `accountId` in a provider"),
    Key::new("aws.mainAccount", Mapping, "The account from which roles are assumed")
        .default("the standard AWS credential chain"),
    Key::new("aws.mainAccount.accessKeyId", Text, "A static key's id"),
    Key::new("aws.mainAccount.secretAccessKey", Secret, "The static key"),
    Key::new("aws.mainAccount.profile", Text, "A profile of the shared files"),
    Key::new("aws.mainAccount.region", Text, "The region of the token service"),
    Key::new("aws.accountDefaults", Mapping, "What holds for accounts that are not listed"),
    Key::new("aws.accountDefaults.roleName", Text, "A role to assume in such an account"),
    Key::new("aws.accountDefaults.partition", Text, "`aws`, `aws-cn` or `aws-us-gov`").default("aws"),
    Key::new("aws.accountDefaults.region", Text, "The region of the token service"),
    Key::new("aws.accountDefaults.externalId", Text, "The external id for the role"),
    Key::new("aws.accounts", List, "The accounts that have their own credentials"),
    Key::new("aws.accounts[].accountId", Text, "Twelve digits, in quotes").required(),
    Key::new("aws.accounts[].accessKeyId", Text, "A static key's id"),
    Key::new("aws.accounts[].secretAccessKey", Secret, "The static key"),
    Key::new("aws.accounts[].profile", Text, "A profile of the shared files"),
    Key::new("aws.accounts[].roleName", Text, "A role to assume in the account"),
    Key::new("aws.accounts[].partition", Text, "`aws`, `aws-cn` or `aws-us-gov`").default("aws"),
    Key::new("aws.accounts[].region", Text, "The region of the token service"),
    Key::new("aws.accounts[].externalId", Text, "The external id for the role"),
    Key::new("catalog", Mapping, "What is in the catalog"),
    Key::new("catalog.locations", List, "Files that are always read"),
    Key::new("catalog.locations[].type", Text, "`file` or `url`").required(),
    Key::new(
        "catalog.locations[].target",
        Text,
        "A path from the folder of the first configuration file, in which `*` and `**` match, or a URL; in one of a \
         bucket they match too",
    )
    .required(),
    Key::new(
        "catalog.locations[].presence",
        Choice(&["required", "optional"]),
        "Whether it is an error when there is nothing there",
    )
    .default("required"),
    Key::new("catalog.locations[].rules", List, "Kinds that this location may bring in beside the general ones"),
    Key::new("catalog.locations[].rules[].allow", List, "As in `catalog.rules`").required(),
    Key::new("catalog.locations[].rules[].allow[]", TextOrMapping, "As in `catalog.rules`"),
    Key::new("catalog.locations[].rules[].allow[].kind", Text, "A kind").required(),
    Key::new("catalog.locations[].rules[].allow[].'spec.type'", Text, "Only with this type"),
    Key::new("catalog.rules", List, "Which kinds locations may bring in")
        .default("`[{ allow: [Component, API, Location] }]`"),
    Key::new("catalog.rules[].allow", List, "Kinds, or `{ kind, spec.type }`").required(),
    Key::new("catalog.rules[].allow[]", TextOrMapping, "A kind, or `{ kind, spec.type }`"),
    Key::new("catalog.rules[].allow[].kind", Text, "A kind").required(),
    Key::new("catalog.rules[].allow[].'spec.type'", Text, "Only with this type"),
    Key::new("catalog.rules[].locations", List, "The locations that the rule is for").default("all"),
    Key::new("catalog.rules[].locations[].type", Text, "The location's type").required(),
    Key::new("catalog.rules[].locations[].exact", Text, "Its target, to the letter"),
    Key::new("catalog.rules[].locations[].pattern", Text, "A pattern for its target, in which `*` and `**` match"),
    Key::new("catalog.readonly", Boolean, "Whether locations can only be registered here, not through the API")
        .default("false"),
    Key::new(
        "catalog.processingInterval",
        DurationOrFalse,
        "How often a source that cannot say that it changed is read again; false: this process reads none at all",
    )
    .default("100 to 150 seconds"),
    Key::new(
        "catalog.replicaTimeout",
        Duration,
        "Where several replicas share a PostgreSQL: for how long one that says nothing is believed to be at work. Then the \
         others take over what it had begun. At least a second",
    )
    .default("30 seconds"),
    Key::new(
        "catalog.defaultLocationConflictStrategy",
        Choice(&["reject", "refresh"]),
        "What becomes of a location that is registered a second time",
    )
    .default("reject"),
    Key::new("catalog.orphanStrategy", Choice(&["delete", "keep"]), "What becomes of entities that nothing refers to")
        .default("delete"),
    Key::new(
        "catalog.orphanProviderStrategy",
        Choice(&["delete", "keep"]),
        "What becomes of the entities of a provider that is gone",
    )
    .default("delete"),
    Key::new(
        "catalog.disableDefaultProcessors",
        Boolean,
        "Whether to leave out what reads the targets of Locations and says where an entity is from",
    )
    .default("false"),
    Key::new(
        "catalog.processorOptions",
        Mapping,
        "What has a say in what becomes of entities, by name: `<plugin>/<processor>`, or `PlaceholderProcessor`, \
         `AnnotateLocationEntityProcessor`, `FileReaderProcessor` and `url-reader` for the catalog's own",
    ),
    Key::new("catalog.processorOptions.*", Mapping, "One of them"),
    Key::new("catalog.processorOptions.*.disabled", Boolean, "Whether it is left out").default("false"),
    Key::new("catalog.processorOptions.*.priority", Number, "Those with less come first").default("20"),
    Key::new(
        "catalog.providerOptions",
        Mapping,
        "What brings entities in, by name: as the page of its plugin lists it, or `ConfigLocationProvider` for \
         `catalog.locations` and `DefaultLocationStore` for registered locations",
    ),
    Key::new("catalog.providerOptions.*", Mapping, "One of them"),
    Key::new(
        "catalog.providerOptions.*.disabled",
        Boolean,
        "Whether it is left out. What it brought is then removed, unless `catalog.orphanProviderStrategy` is `keep`",
    )
    .default("false"),
    Key::new("catalog.push", Mapping, "Who may push entities, each with `POST /api/catalog/push/<name>`"),
    Key::new(
        "catalog.push.*",
        Mapping,
        "A source. What it pushed belongs to it, and is removed when the source is no longer listed, unless \
         `catalog.orphanProviderStrategy` is `keep`",
    ),
    Key::new(
        "catalog.push.*.token",
        Secret,
        "What whoever pushes shows as a bearer token, at least 20 characters. It lets them push to this source, and \
         nothing else",
    )
    .required(),
    Key::new("catalog.push.*.rules", List, "Kinds that may be pushed beside the general ones"),
    Key::new("catalog.push.*.rules[].allow", List, "As in `catalog.rules`").required(),
    Key::new("catalog.push.*.rules[].allow[]", TextOrMapping, "As in `catalog.rules`"),
    Key::new("catalog.push.*.rules[].allow[].kind", Text, "A kind").required(),
    Key::new("catalog.push.*.rules[].allow[].'spec.type'", Text, "Only with this type"),
    Key::new("catalog.providers", Mapping, "What the plugins read into the catalog"),
    Key::plugin("catalog.providers.awsS3", Any, "s3", "the objects of an S3 bucket, each as a Location"),
    Key::new("plugins", Mapping, "The plugins, by id, in the order of the portal's plugins page"),
    Key::new("plugins.*", Mapping, "A plugin. Its key is the id that its manifest has"),
    Key::new(
        "plugins.*.source",
        Text,
        "Where it is: a file, from the folder of the first configuration file, an `https://` address, or \
         `oci://registry/name`. What comes from elsewhere must be approved in `callboard.lock`, which `callboard plugin \
         add` and `update` write",
    )
    .required(),
    Key::new("plugins.*.version", Text, "The versions that may be used, of a registry: `^1.2`").default("every version"),
    Key::new("plugins.*.enabled", Boolean, "Whether it runs; without it, the plugin's page can switch it off and on")
        .default("true"),
    Key::new(
        "plugins.*.grant",
        Mapping,
        "What it may do; it gets the part of this that its manifest asks for. `callboard plugin inspect FILE` prints a \
         block to start from",
    )
    .default("nothing"),
    Key::new("plugins.*.grant.log", Boolean, "Write to the server's log").default("false"),
    Key::new("plugins.*.grant.config", Texts, "Read these parts of the configuration").default("`[]`"),
    Key::new(
        "plugins.*.grant.http",
        Texts,
        "Send requests: `METHOD[,METHOD] ORIGIN[/PATH]`, where an origin may have `*` in its host or be \
         `config:<path>`, which stands for the URL at that path of the configuration",
    )
    .default("`[]`"),
    Key::new("plugins.*.grant.kv", Boolean, "Keep values of its own between calls").default("false"),
    Key::new(
        "plugins.*.grant.catalog",
        Mapping,
        "Read entities, as far as whoever it is called for may read them. Where that is nobody, `permission.policy` must \
         give `catalog.entity.read` to `plugin:<id>`",
    ),
    Key::new("plugins.*.grant.catalog.kinds", Texts, "The kinds that it may read; others are not there for it")
        .default("`[]`"),
    Key::new("plugins.*.grant.entity-processor", Mapping, "Emit entities while others are processed"),
    Key::new("plugins.*.grant.entity-processor.kinds", Texts, "The kinds that it may emit directly").default("`[]`"),
    Key::new("plugins.*.grant.entity-provider", Mapping, "Bring entities into the catalog"),
    Key::new("plugins.*.grant.entity-provider.kinds", Texts, "The kinds that it may bring in directly").default("`[]`"),
    Key::new("plugins.*.grant.event-subscriber", Mapping, "Be told of what happens"),
    Key::new("plugins.*.grant.event-subscriber.topics", Texts, "The topics: `catalog.entity`, and those of its webhooks")
        .default("`[]`"),
    Key::new("plugins.*.grant.scaffolder-actions", Mapping, "Run steps of scaffolder templates"),
    Key::new("plugins.*.grant.scaffolder-actions.actions", Texts, "The ids of the actions that it may run").default("`[]`"),
    Key::new("plugins.*.grant.workspace", Boolean, "Use the folder of a scaffolder task, in the run of an action")
        .default("false"),
    Key::new("plugins.*.limits", Mapping, "Limits for this plugin, by the names of `host.limits`: each of them, for this plugin alone"),
    Key::new("plugins.trust", Mapping, "Who must have signed the plugins that come from elsewhere"),
    Key::new("plugins.trust.require", List, "Whose signature is good enough; any one of these").default("none is required"),
    Key::new("plugins.trust.require[].key", Text, "A public key as PEM, or the file of one"),
    Key::new(
        "plugins.trust.require[].issuer",
        Url,
        "Who vouches for whoever signed, such as `https://token.actions.githubusercontent.com`",
    ),
    Key::new(
        "plugins.trust.require[].subject",
        Text,
        "Who signed: an address, or the URL of a workflow, where `@refs/tags/*` stands for every tag",
    ),
    Key::new(
        "plugins.trust.root",
        Text,
        "The file of certificates and logs that are believed, as sigstore publishes it (`trusted_root.json`)",
    ),
    Key::new("plugins.registries", List, "The registries that ask for a name, or that are in a private network"),
    Key::new("plugins.registries[].host", Text, "Its host, with the port where it is not the usual one").required(),
    Key::new("plugins.registries[].username", Text, "Who asks"),
    Key::new("plugins.registries[].password", Secret, "Their password or token"),
    Key::new(
        "plugins.registries[].origins",
        Texts,
        "Other places that belong to it: the server of its tokens, and its storage. The password is sent nowhere else",
    ),
    Key::new("host", Mapping, "What holds for every plugin"),
    Key::new("host.limits", Mapping, "Limits that differ from the built-in ones"),
    Key::new("host.limits.memory", Number, "Bytes of memory of one call").default("64 MiB"),
    Key::new("host.limits.uiDeadline", Duration, "How long it may take to show something").default("5 seconds"),
    Key::new("host.limits.pageDeadline", Duration, "How long one page of a provider may take").default("60 seconds"),
    Key::new("host.limits.processorDeadline", Duration, "How long a batch of a processor may take")
        .default("10 seconds"),
    Key::new("host.limits.eventDeadline", Duration, "How long a batch of events may take").default("10 seconds"),
    Key::new("host.limits.eventAttempts", Number, "How often an event is tried before it is put aside").default("12"),
    Key::new(
        "host.limits.eventRetry",
        Duration,
        "The pause after an event's first failure; each further one is twice as long, up to an hour",
    )
    .default("5 seconds"),
    Key::new("host.limits.responseBytes", Number, "Bytes that may be read of one answer").default("32 MiB"),
    Key::new("host.limits.workspaceBytes", Number, "Bytes of the files of a scaffolder task's workspace together")
        .default("512 MiB"),
    Key::new("host.limits.workspaceFileBytes", Number, "Bytes of one file of a workspace").default("100 MiB"),
    Key::new("host.limits.workspaceEntries", Number, "Files and folders of a workspace").default("50000"),
    Key::new("host.limits.logBytes", Number, "Bytes of log of one call").default("64 KiB"),
    Key::new("host.limits.concurrentCalls", Number, "Calls at a time").default("32"),
    Key::new("host.limits.outboundRequests", Number, "Requests under way at a time").default("16"),
    Key::new("host.limits.componentBytes", Number, "Bytes of a component").default("32 MiB"),
    Key::new("host.limits.compileTime", Duration, "How long compilation may take").default("60 seconds"),
    Key::new("host.limits.compileMemory", Number, "Bytes of memory that compilation may take").default("1 GiB"),
    Key::new("host.limits.faultsBeforeSuspension", Number, "Faults in a row after which the plugin is suspended")
        .default("5"),
    Key::new(
        "host.limits.firstSuspension",
        Duration,
        "The first suspension; each further one is twice as long, up to ten minutes",
    )
    .default("10 seconds"),
    Key::new("permission", Mapping, "Who may do what"),
    Key::new("permission.enabled", Boolean, "false: whoever is signed in may do everything").default("true"),
    Key::new("permission.policy", List, "Rules that allow; what no rule allows is denied")
        .default("whoever is signed in reads, whoever owns something changes it"),
    Key::new("permission.policy[].name", Text, "What explanations and the audit log call the rule").default("its place"),
    Key::new(
        "permission.policy[].allow",
        Texts,
        "Permissions such as `catalog.entity.read`; `*` stands for a segment, or for the rest at the end, and `**` for \
         one segment or several",
    )
    .required(),
    Key::new("permission.policy[].to", Texts, "`anyone`, `signed-in`, `role:<name>`, the refs of users and groups, or `plugin:<id>` for a plugin while it provides or processes entities").required(),
    Key::new(
        "permission.policy[].where",
        Any,
        "A predicate, as in the catalog's queries: only for such entities. `$me` stands for the caller's ref and those of their groups",
    )
        .default("every entity"),
    Key::new(
        "permission.roles",
        Mapping,
        "Names for groups of people, for `to`. Whoever has the role `admin` may do everything, under any policy",
    ),
    Key::new("permission.roles.*", Texts, "`anyone`, `signed-in`, the refs of users and groups, or `plugin:<id>`"),
    Key::new("auth", Mapping, "How to sign in"),
    Key::new(
        "auth.environment",
        Text,
        "`development`, or the name of another environment. Only in development may somebody sign in without a proof",
    )
    .default("production"),
    Key::new("auth.session", Mapping, "How long somebody stays signed in"),
    Key::new("auth.session.idleTimeout", Duration, "Without doing anything; at least a minute").default("12 hours"),
    Key::new("auth.session.lifetime", Duration, "Whatever they do; at least a minute").default("7 days"),
    Key::new("auth.providers", Mapping, "The ways to sign in"),
    Key::new("auth.providers.guest", Mapping, "A guest may sign in, in development"),
    Key::new("auth.providers.guest.userEntityRef", EntityRef, "Who the guest is").default("`user:development/guest`"),
    Key::new("auth.providers.guest.ownershipEntityRefs", Texts, "The refs that the guest owns things by")
        .default("the user's own"),
    Key::new(
        "auth.providers.guest.dangerouslyAllowOutsideDevelopment",
        Boolean,
        "Whether a guest may sign in anywhere",
    )
    .default("false"),
    Key::new(
        "auth.providers.development",
        Mapping,
        "Users to choose from at sign-in, without a proof; refused unless `auth.environment` is `development`",
    ),
    Key::new("auth.providers.development.users", List, "The users").required(),
    Key::new("auth.providers.development.users[].entityRef", EntityRef, "Who it is").required(),
    Key::new("auth.providers.development.users[].displayName", Text, "For people").default("the name in the ref"),
    Key::new("apis", Mapping, "The pages of APIs"),
    Key::new("apis.tryItOut", Mapping, "\"Try it out\", which the server sends in the reader's place"),
    Key::new(
        "apis.tryItOut.allow",
        List,
        "Methods other than GET, HEAD and OPTIONS, by host. The host must be in `backend.reading.allow` as well",
    )
    .default("`[]`"),
    Key::new("apis.tryItOut.allow[].host", Text, "As in `backend.reading.allow`").required(),
    Key::new("apis.tryItOut.allow[].methods", Texts, "Such as `[POST, PUT]`").required(),
];
