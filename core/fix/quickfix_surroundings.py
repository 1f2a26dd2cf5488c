"""QuickFIX's setting names for what surrounds a session: stores, logs, sockets, TLS, proxies, dynamic sessions.

None of them is a key here. Those that may stay in a file and those that are a problem are told apart by whether the
session would do, without them, what the file means.
"""

from __future__ import annotations

from typing import Final


def _names(prefix: str, rest: str) -> tuple[str, ...]:
    return tuple(prefix + name for name in rest.split())


_DATABASES: Final = (
    *_names("MySQLStore", "Database Host Password Port UseConnectionPool User"),
    *_names("MySQLLog", "Database EventTable Host IncomingTable OutgoingTable Password Port UseConnectionPool User"),
    *_names("PostgreSQLStore", "Database Host Password Port UseConnectionPool User"),
    *_names(
        "PostgreSQLLog", "Database EventTable Host IncomingTable OutgoingTable Password Port UseConnectionPool User"
    ),
    *_names("OdbcStore", "ConnectionString Password User"),
    *_names("OdbcLog", "ConnectionString EventTable IncomingTable OutgoingTable Password User"),
    *_names("JdbcConnection", "IdleTimeout KeepaliveTime TestQuery Timeout"),
    *_names("JdbcLog", "EventTable HeartBeats IncomingTable OutgoingTable"),
    *_names("JdbcMax", "ActiveConnection ConnectionLifeTime"),
    *_names("Jdbc", "DataSourceName Driver MinIdleConnection Password SessionIdDefaultPropertyValue URL User"),
    *_names("JdbcStore", "MessagesTableName SessionsTableName"),
    *_names("Jndi", "ContextFactory ProviderURL"),
    *_names("Sleepycat", "DatabaseDir MessageDbName SequenceDbName"),
)
_LOGS: Final = (
    *_names("SLF4JLog", "ErrorEventCategory EventCategory Heartbeats IncomingMessageCategory"),
    *_names("SLF4JLog", "OutgoingMessageCategory PrependSessionID"),
    "ScreenIncludeMilliseconds",
)
_SOCKETS: Final = (
    *_names("Socket", "ReceiveBufferSize SendBufferSize Linger OobInline TrafficClass"),
    *_names("Socket", "SynchronousWrites SynchronousWriteTimeout"),
)
_TLS: Final = (
    *_names("Certificate", "RevocationListDirectory RevocationListFile VerifyLevel"),
    *_names("CertificationAuthorities", "Directory File"),
    *_names("ClientCertificate", "File KeyFile"),
    *_names("ServerCertificate", "File KeyFile"),
    *_names("Socket", "KeyStore KeyStorePassword TrustStore TrustStorePassword"),
    *("CipherSuites", "EnabledProtocols", "EndpointIdentificationAlgorithm", "KeyManagerFactoryAlgorithm"),
    *("KeyStoreType", "NeedClientAuth", "SNIHostName", "SSLCipherSuite", "SSLProtocol", "TLSCipherSuites"),
    *("TrustManagerFactoryAlgorithm", "TrustStoreType", "UseSNI"),
)
_SOURCES: Final = (*_names("SocketConnectSource", "Host Port"), *_names("SocketLocal", "Host Port"))
_PROXIES: Final = _names("Proxy", "Domain Host Password Port Type User Version Workstation")

IGNORED: Final[dict[str, str]] = {
    **dict.fromkeys(_DATABASES, "the journal is the store and the log"),
    **dict.fromkeys(_LOGS, "the node's log shows events, `romer-live fix print` shows messages"),
    **dict.fromkeys(_SOCKETS, "the system's choice"),
    "ContinueInitializationOnError": "a file with a problem is not used at all",
}
"""May stay in a file, and why they change nothing."""

REFUSED: Final[dict[str, str]] = {
    **dict.fromkeys(_TLS, "TLS is set where the door is opened, in `[listen.tls]` of a venue file"),
    **dict.fromkeys(_SOURCES, "the system chooses where a connection comes from; set a route"),
    **dict.fromkeys(_PROXIES, "connections are direct; put a tunnel where SocketConnectHost is"),
    "HostSelectionPolicyPriorityStartOverInterval": "after a session was up, the same address is tried first",
}
"""Change what a session does, have nothing here to become, and what there is instead."""

FIXED: Final[dict[str, tuple[frozenset[str], str]]] = {
    "AcceptorTemplate": (frozenset("N"), "name each counterparty, or add its session while the engine runs"),
    "AllowUnknownEnumValues": (frozenset("N"), "add the value to the session's dictionary"),
    "DynamicSession": (frozenset("N"), "name each counterparty, or add its session while the engine runs"),
    "FirstFieldInGroupIsDelimiter": (frozenset("N"), "an entry begins with the group's first field in the dictionary"),
    "HostSelectionPolicy": (frozenset(["ROUND_ROBIN"]), "the next address is tried whenever one fails"),
    "PreserveMessageFieldsOrder": (frozenset("N"), "fields are sent in ascending order of tags"),
    "SocketAcceptProtocol": (frozenset(["TCP", "SOCKET"]), "FIX is spoken over TCP"),
    "SocketConnectProtocol": (frozenset(["TCP", "SOCKET"]), "FIX is spoken over TCP"),
    "ValidateUnorderedGroupFields": (frozenset("N"), "the fields of an entry may come in any order after its first"),
}
"""One value, or a few, is how it is here, and why another has no place."""
