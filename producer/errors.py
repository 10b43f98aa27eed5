"""The errors of the producer, each with a message that says what, where and the next step.

ProducerError
├── InvalidEventError         an event or profile breaks the model
├── InvalidRequestError       what was asked for makes no sense
├── SchemaFileError           a file under schemas/ is missing or broken
├── UnreachableError          a server does not answer
├── RejectedError             a server refuses
├── SchemaNotRegisteredError  the registry does not know our schema
└── TopicMissingError         the broker does not have the topic
"""


class ProducerError(Exception):
    """Anything the user of the producer can put right."""


class InvalidEventError(ProducerError):
    """An event or profile breaks the model; the message names the field."""


class InvalidRequestError(ProducerError):
    """The options of a run contradict each other or are out of range."""


class SchemaFileError(ProducerError):
    """A schema file is missing or is not a flat Avro record."""


class UnreachableError(ProducerError):
    """A server does not answer."""


class RejectedError(ProducerError):
    """A server answered, and refuses."""


class SchemaNotRegisteredError(ProducerError):
    """The registry does not know the schema under its subject."""


class TopicMissingError(ProducerError):
    """The broker does not have the topic."""
