"""What is trained with TensorFlow, in this process: networks, their exports, and the work of one executor."""
