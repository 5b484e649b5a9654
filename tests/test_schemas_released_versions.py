"""A released schema is never edited: each is pinned here by the SHA-256 of its text.

A new version adds a line; no line is ever changed or taken out.
"""

import json
from importlib.resources import files

import pytest

from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import decode_plain
from cryotrail_schemas.errors import UndecodableRecord

PINNED = {
    "AnaesthesiaGiven.v1": ("6d6ec5dc4a3e42f57d143d29f594a05ce9c4be15a667894bb816fd6bfde1c65b"),
    "CaseDecisionRecorded.v1": ("4aba91170cb1b489e831fa59e9e2093159744a007e0375c11d45df1baf3dc787"),
    "ChecklistCompleted.v1": ("d36546661102093d3e9b659654c4b2f644b97e4475f41538634c3e341864c218"),
    "ComplicationRegraded.v1": ("055d52d3546cbea5d0684d50befcfd110c3f24aa3cfbf7accc502282b03e3fec"),
    "ComplicationReported.v1": ("962fbce8fd2845867d4d86e1a1e20f66afaa47672394e9b9eecc816dc4db16ba"),
    "ComplicationResolved.v1": ("dba7eaeea57df7696757a9a67e9e30198b715ba125646a7f87e7fe4cacff9986"),
    "ConsentObtained.v1": ("722da1a7ba0a595befff8f5c16b1fbf5da5f961fc18bacb4c07c481d9c4e706e"),
    "CtAcquired.v1": ("32322ef17b12e896b797389873b40533c622c9fe5f1cb2b47979a962b59c3574"),
    "DeviceAlarmRaised.v1": ("4250aed8114b366602320fe777e6f010959b81db5e60e6e00847f63b235444f8"),
    "DisplacementPerformed.v1": (
        "0520dbdf82456866a7df67377e0e0aa28ae1eb13e2f2d013f9e88a2d3215a6f9"
    ),
    "EmbolizationPerformed.v1": (
        "854222dfa4bc03ba77a7deb36f147dec19d70a407d35ea1e0bdc78276d718c63"
    ),
    "EventAmended.v1": ("4dd4e198676592c88b735e4f992c68e7b502c872fdfc885970069c7fb9445647"),
    "EventVoided.v1": ("7c4d2ce3ed2af57ce05f45a830019d562eab2df3d634325c2ced9478afce332f"),
    "FlowChanged.v1": ("05e80555faf76502b3fd0782495e59c26c0c4465bc74ecb1bcee1d4429537808"),
    "FollowUpImagingPerformed.v1": (
        "274c1b9c0c92c7ca9ea6736c6177eb8d5cb7808aae77cebfc81e5c1083f838a6"
    ),
    "FreezeStarted.v1": ("0207c304d6695beeb8a1f7a6f2cf9aeb348c80e89290ec920cc8182fc1e0222d"),
    "FreezeStopped.v1": ("2844c4c2b5ccb5cf70368d91bf969dbc692f60fed63aedc1c5adf4b4d7af6648"),
    "HaemostasisApplied.v1": ("3ecfec81fb3d0d94adbf383087afd17422d8be70dfd87f958fea521ba7ac0754"),
    "IceBallChecked.v1": ("bf206f758a545b78cca136caa90a664e3b484c6ab7149fe971708c0ae34e98c2"),
    "LabResultRecorded.v1": ("388bfe74dd72f193fce535f9bb38a7f74cefc3c895318c717cf36d045fb29fd2"),
    "LesionAdded.v1": ("34830a3054a56377e179b9344ca9840a17d3e6d1f0d8712f9508d49b367e79d5"),
    "MedicationGiven.v1": ("78dd767d99b50239b05a2a1b1a4d59c8590559f252307affbc8c7c1efe2326e5"),
    "NeuromonitoringRecorded.v1": (
        "30e4db12358f2c9eabdd67c011a4f075bc074896be79c2806a53774ad56117fb"
    ),
    "OutboxLossReported.v1": ("edd0a6070810da4198e511fa1451f59a9bcbb4133b5fb8a3ea2e1c403d38f8e7"),
    "PatientDischarged.v1": ("89d06369ba232dd810f983ad56a3c9675b1f696ad7b2740cdcf77002c57745d9"),
    "ProbeAnchored.v1": ("c2d32b21089be5a8edfa2cbec10fb0dfac8ee97f093697ad659e3aec4d855c90"),
    "ProbeInserted.v1": ("5cc6c811ade6d570450e80d542e217b9a5812d8677f3233de64ffd0b966b7cca"),
    "ProbePositionChecked.v1": ("d5fcc8fd2f19e1d4c6c02779ae0af3fa4b98bbfcadecb2cf215424a7f395d50b"),
    "ProbeRemoved.v1": ("9fced0cf4ef0e4416af7bb496cf3b96880e8127485eae7a1f1ca7dd6600dd593"),
    "ProbeTelemetryChunk.v1": ("9223a0b31098e9ffd4bf970c7794fa435894a87f49a701109e6962dbf449a1bb"),
    "ProcedureEnded.v1": ("453d16ec25f58ff2181ec162298878cb940275c937673014a03f9092d376d941"),
    "ProcedureReviewed.v1": ("ce2bd39924164defd12ff8c0e95d02714119deb49ef2f3b5a2be24a8b23eb920"),
    "ProcedureScheduled.v1": ("5130311f7874961502f88416e5bc1ed71e4a572a496a95eabd72e9ca5596777c"),
    "ProcedureSealed.v1": ("97b9dc89dcc757047666a45573cc9505df2524dfdd26ca0b4874ca7ce964eb47"),
    "ProcedureStarted.v1": ("58709706b7f6ed1dd7d351d7bb2c23ab2938ee842dfbcf5bb1aaaf59c61dd1c0"),
    "RecurrenceDetected.v1": ("5df90cb8a9a2588af31d947bfb4fed7759c3915b8632baa810c54068459ec32b"),
    "ResponseAssessed.v1": ("a5ab84a304ba0b5b12d85bae647fb51bb18c5219d65c731f28b53edf9d020be7"),
    "SkinProtectionApplied.v1": (
        "f96ee179c4dcbe1d5b206298a0f4fc3cb689f1d7e7d5399ef90e52a6fb438e9e"
    ),
    "TechnicalSuccessAssessed.v1": (
        "335717ec83fcadc1591a88567719ef38b4d74a3cde7c6ea39388ff569fa852b7"
    ),
    "TelemetryGapReported.v1": ("78da1aa1fa793a3cc54a21f77e3a66c7d38b03bba3ab3dff1412cc5696aaa05b"),
    "ThawStarted.v1": ("d672d0e655a4ad7777ceff36babe1da53ad051fd148aa25f9eba79752a6c9557"),
    "ThawStopped.v1": ("3d4b3faedbc1754ef258b0e97e347377b81872e25bc78c8416bd3e7f80bb28b0"),
    "ThermosensorPlaced.v1": ("74524fec9f35f87aa2b9a2e250e32194a5dc45481224f6cfce6f7cf23c351392"),
    "TractChecked.v1": ("fc0757ae577285b52f1c6bda82822d1886787b31f3f36daa4bc2208d24a5bab3"),
    "TrajectoryPlanned.v1": ("4c97e3e1a416d85c967e8c8554e332971a05e6c094f518b0bc0ea3d8d6abf79b"),
    "VitalStatusUpdated.v1": ("c8d39d9d391cd01fe1c44b877b9574fffbf03886cb8b3e4eb41273271d25dd26"),
}


def test_every_released_version_is_pinned_and_unchanged():
    released = {f"{item.name}.v{item.version}": item.sha256.hex() for item in catalog()}

    assert released == PINNED


def test_every_released_file_is_in_the_catalog():
    folder = files("cryotrail_schemas").joinpath("avro", "released")

    names = {entry.name for entry in folder.iterdir()}

    assert names == {f"{item.name}.v{item.version}.avsc" for item in catalog()}


@pytest.mark.parametrize("event_type", catalog(), ids=lambda item: f"{item.name}.v{item.version}")
def test_a_released_text_stands_alone(event_type):
    definition = json.loads(event_type.text)

    assert definition["name"] == event_type.name
    assert definition["fields"][0]["name"] == "header"
    with pytest.raises(UndecodableRecord, match="truncated"):
        decode_plain(b"", event_type)
