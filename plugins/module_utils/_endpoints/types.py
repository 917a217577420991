# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The types of endpoints that are known: what the console calls them, and the class of their settings. Pure functions.

Where each comes from: docs/enterprise_manager_api.md, 6.31 and 6.47.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from .._client.checks import check_name
from .._client.errors import InputError
from .._client.nearest import nearest

# Of type_id in documents; GetEndpointList has the rest of it (docs/enterprise_manager_api.md, 6.32).
SUFFIX = "_COMPONENT_TYPE"

# How sure an entry is.
SEEN = "seen"  # type and class stand together in a public export or sample, or in a real one
PAIRED = "paired"  # both are seen in public, in different places: that they belong together is assumed
ASSUMED = "assumed"  # the class is seen in public; its type is assumed from its name
TYPE_ONLY = "type only"  # the type is seen in public; its class is not known


class Type(NamedTuple):
    """A type of endpoints. ``role`` is SOURCE or TARGET if the console's names mean it for this role only."""

    settings_type: str  # db_settings.$type of an export; empty: not known
    basis: str
    names: tuple[str, ...] = ()  # in the console and the user guide
    role: str = ""


TYPES = {
    "AMAZON_MSK": Type("AmazonmskSettings", ASSUMED, ("Amazon MSK",)),
    "AMAZON_S3": Type("Amazons3Settings", ASSUMED, ("Amazon S3",)),
    "AZURE_ADLS": Type("AzureadlsSettings", PAIRED, ("Microsoft Azure ADLS", "Microsoft Azure Data Lake Storage")),
    "AZURE_SQL_MSCDC_SOURCE": Type("MicrosoftazuresqlmscdcSettings", PAIRED, ("Microsoft Azure SQL (MS-CDC)",)),
    "CUSTOM": Type("", TYPE_ONLY),
    "DATABRICKS_AZURE_DELTA": Type("DatabricksazuredeltaSettings", SEEN, ("Microsoft Azure Databricks Delta",)),
    "DATABRICKS_DELTA": Type("DatabricksdeltaSettings", ASSUMED, ("Databricks Lakehouse (Delta)", "Databricks Delta")),
    "DB2I_NATIVE": Type("Db2iSettings", SEEN, ("IBM DB2 for iSeries", "IBM DB2 for i")),
    "DB2ZOS_NATIVE": Type("Db2zosSettings", PAIRED, ("IBM DB2 for z/OS",), "SOURCE"),
    "FILE": Type("FileSettings", SEEN),
    "HADOOP": Type("HadoopSettings", ASSUMED),
    "HDINSIGHT": Type("HdinsightSettings", ASSUMED, ("Microsoft Azure HDInsight",)),
    "INFORMIX": Type("InformixSettings", ASSUMED, ("IBM Informix",)),
    "KAFKA": Type("KafkaSettings", PAIRED, ("Apache Kafka",)),
    "LOG_STREAM": Type("LogstreamSettings", PAIRED),
    "MICROSOFT_SQL_SERVER_MSCDC_SOURCE": Type(
        "MicrosoftsqlservermscdcSettings", PAIRED, ("Microsoft SQL Server (MS-CDC)",)
    ),
    "MYSQL": Type("MysqlSettings", ASSUMED),
    "NULL_TARGET": Type("NulltargetSettings", SEEN),
    "ODBC": Type("OdbcSettings", ASSUMED),
    "ORACLE": Type("OracleSettings", SEEN),
    "POSTGRESQL": Type("PostgresqlSettings", ASSUMED),
    "RDS_POSTGRESQL": Type("RdspostgresqlSettings", PAIRED, ("Amazon RDS for PostgreSQL",), "SOURCE"),
    "SAPDB": Type("", TYPE_ONLY),
    "SAP_APPLICATION": Type("", TYPE_ONLY, ("SAP Application",)),
    "SAP_HANA_SRC": Type("", TYPE_ONLY, ("SAP HANA",), "SOURCE"),
    "SNOWFLAKE": Type("SnowflakeSettings", PAIRED, ("Snowflake on AWS",)),
    "SNOWFLAKE_AZURE": Type("SnowflakeazureSettings", PAIRED, ("Snowflake on Azure",)),
    "SNOWFLAKE_GOOGLE": Type("SnowflakegoogleSettings", ASSUMED, ("Snowflake on Google",)),
    "SQL_SERVER": Type("SqlserverSettings", PAIRED, ("Microsoft SQL Server",)),
    "TERADATA": Type("TeradataSettings", ASSUMED, ("Teradata Database",), "TARGET"),
}


def check_type(text: str) -> str:
    """Return the value of the option ``type`` if it can be one; raise InputError otherwise."""
    if not kind_of(check_name("type", text)):
        raise InputError(f'type "{text}" is not a type: it contains neither a letter nor a digit.')
    return text


def kind_of(text: str) -> str:
    """Return a type in the spelling of GetEndpointList: ORACLE, SQL_SERVER."""
    return re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_").removesuffix(SUFFIX)


def meaning(text: str, role: str | None = None) -> str:
    """Return the type that a text means: by itself, or as the console's name of a type of this role (None: any)."""
    kind = kind_of(text)
    if kind not in TYPES:
        for one, known in TYPES.items():
            if kind in map(kind_of, known.names) and (not role or known.role in ("", role)):
                return one
    return kind


def nearest_types(text: str, others: Iterable[str] = ()) -> list[str]:
    """Return how known types, and ``others``, are called that are much like ``text``, the nearest first."""
    called = {kind: kind for kind in (*others, *TYPES)}
    called.update({kind_of(name): f"{name} ({kind})" for kind, known in TYPES.items() for name in known.names})
    return [called[kind] for kind in nearest(kind_of(text), called)]
