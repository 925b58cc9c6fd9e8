##! The knobs of scoring; learn.zeek, notice.zeek and allow.zeek have those of
##! their subjects. A value is set in local.zeek with ``redef``, on the command
##! line, or at run time through the configuration framework.

module IForest;

export {
	## Whether connections are scored.
	option enabled = T;

	## The model that connections are scored with: the absolute path of a file
	## that ``zeek-iforest train`` wrote. Without one the sensor learns its
	## model by itself (:zeek:see:`IForest::learn`). A file that cannot be used
	## is refused with a warning, and the model before it stays.
	option model_file = "";

	## Raise this number after a file was replaced under the same name (with
	## ``mv``, never by writing into it): the model is then read again.
	option model_generation: count = 0;
}
